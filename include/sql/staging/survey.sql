-- survey: one row per kind of arrived event, with its lines and rows.
select
    kind,
    sum(copies) as lines,
    count(*) as events
from {{ params.arrivals | name }}
group by kind
order by kind
