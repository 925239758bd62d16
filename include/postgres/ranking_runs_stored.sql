-- Store what a run's manifest accounts for.
insert into ranking_runs (
    run, scope, metric, interval_start, interval_end, exported_at, lines, duplicates, tombstones, rejects, posts,
    scanned_bytes
)
values (
    %(run)s, %(network_scope)s, %(ranked_metric)s, %(interval_start)s, %(interval_end)s, %(exported_at)s, %(lines)s,
    %(duplicates)s, %(tombstones)s, %(rejects)s, %(posts)s, %(scanned_bytes)s
)
on conflict (run) do update set
    scope = excluded.scope,
    metric = excluded.metric,
    interval_start = excluded.interval_start,
    interval_end = excluded.interval_end,
    exported_at = excluded.exported_at,
    lines = excluded.lines,
    duplicates = excluded.duplicates,
    tombstones = excluded.tombstones,
    rejects = excluded.rejects,
    posts = excluded.posts,
    scanned_bytes = excluded.scanned_bytes;
