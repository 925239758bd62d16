-- Spans of a network's time that may be missing and that nothing has recovered yet, the newest first.
select
    source,
    gap_from,
    gap_to,
    min(reason) as reason,
    min(noted_at) as noted_at
from gaps
group by source, gap_from, gap_to
having count(recovered_by) = 0
order by gap_from desc, gap_to desc, source asc
