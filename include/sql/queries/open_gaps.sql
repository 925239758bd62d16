-- Spans of a network that may be missing and have not been recovered, newest first.
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
