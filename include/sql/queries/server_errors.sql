-- Server errors (status 500 and above) of the newest arrival day's access logs: windows of five minutes, one a minute.
-- A window that ends at a minute holds the five minutes before it; windows without an error have no row.
with newest as (
    select max(dt) as dt
    from raw_posts
    where kind = 'log'
),

minutes as (
    select
        network,
        date_trunc('minute', posted_at) as posted_minute,
        count(*) as errors
    from logs
    where dt in (select newest.dt from newest) and status >= 500
    group by network, date_trunc('minute', posted_at)
),

placed as (
    select
        minutes.network,
        minutes.errors,
        minutes.posted_minute + ahead.step * interval '1' minute as window_end
    from minutes
    cross join unnest(sequence(1, 5)) as ahead (step)
)

select
    network,
    window_end - interval '5' minute as window_start,
    window_end,
    sum(errors) as errors
from placed
group by network, window_end
order by window_end asc, network asc
