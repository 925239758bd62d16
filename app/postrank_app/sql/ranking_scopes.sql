-- What was ranked: networks, metric and granularity, the most used first.
select
    scope,
    metric,
    granularity,
    count(*) as windows
from ranked_windows
group by scope, metric, granularity
order by (scope = '*' and metric = 'posts') desc, count(*) desc, scope asc, metric asc
