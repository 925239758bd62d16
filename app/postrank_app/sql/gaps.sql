-- Spans that a source may have missed, those that nothing has recovered first.
select
    source,
    collector,
    gap_from,
    gap_to,
    extract(epoch from gap_to - gap_from)::bigint as seconds,
    reason,
    recovered_by,
    noted_at
from gaps
order by recovered_by is not null asc, gap_from desc, source asc
limit 500
