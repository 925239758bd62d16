-- The newest ranking runs: what went in, what was taken out, what was counted, what Athena scanned.
select
    run,
    scope,
    metric,
    interval_start,
    interval_end,
    exported_at,
    lines,
    duplicates,
    tombstones,
    rejects,
    posts,
    scanned_bytes
from ranking_runs
order by exported_at desc
limit 500
