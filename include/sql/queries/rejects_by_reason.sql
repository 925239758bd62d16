-- Rejected lines per source, day and reason, each with an example.
select
    dt,
    source,
    reason,
    sum(coalesce(lines, 1)) as lines,
    min(line) as example
from rejects
group by dt, source, reason
order by dt desc, lines desc, source asc, reason asc
