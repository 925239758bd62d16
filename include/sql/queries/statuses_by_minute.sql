-- Requests by minute and status in the newest arrival day's access logs, in the order of time.
with newest as (
    select max(dt) as dt
    from raw_posts
    where kind = 'log'
)

select
    network,
    date_trunc('minute', posted_at) as window_start,
    status,
    count(*) as requests
from logs
where dt in (select newest.dt from newest)
group by network, date_trunc('minute', posted_at), status
order by window_start asc, network asc, status asc
