-- The hosts of the newest arrival day's access logs that asked most, with errors and bytes; the busiest first.
with newest as (
    select max(dt) as dt
    from raw_posts
    where kind = 'log'
)

select
    rank() over (order by count(*) desc) as rank,
    network,
    host,
    count(*) as requests,
    count_if(status >= 500) as server_errors,
    count(distinct path) as paths,
    sum(bytes) as bytes
from logs
where dt in (select newest.dt from newest)
group by network, host
order by requests desc, network asc, host asc
limit 100
