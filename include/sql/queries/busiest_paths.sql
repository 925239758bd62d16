-- The paths (without query) of the newest arrival day's access logs that were asked for most; the busiest first.
with newest as (
    select max(dt) as dt
    from raw_posts
    where kind = 'log'
),

requests as (
    select
        network,
        host,
        status,
        bytes,
        split_part(path, '?', 1) as path
    from logs
    where dt in (select newest.dt from newest)
)

select
    rank() over (order by count(*) desc) as rank,
    network,
    path,
    count(*) as requests,
    count_if(status >= 500) as server_errors,
    count(distinct host) as hosts,
    sum(bytes) as bytes
from requests
group by network, path
order by requests desc, network asc, path asc
limit 100
