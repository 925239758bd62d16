-- How many lines each source gave on each day that broke the contract, by reason, with one of them.
select
    dt,
    source,
    reason,
    sum(coalesce(lines, 1)) as lines,
    min(line) as example
from rejects
group by dt, source, reason
order by dt desc, lines desc, source asc, reason asc
