-- requested_paths: one row per path (without query) of the access logs of an interval, and one per path and day.
-- posted_date: null for the whole interval. arrival_from: the first arrival day that can hold requests of the interval.
with requests as (
    select
        network,
        host,
        split_part(path, '?', 1) as path,
        status,
        bytes,
        date_format(posted_at, '%Y-%m-%d') as posted_date
    from logs
    where
        dt >= {{ params.arrival_from | text }}
        and posted_at >= {{ params.all_from | timestamp }}
        and posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or network in ({{ params.networks_ranked | texts }}))
),

counted as (
    select
        posted_date,
        network,
        path,
        count(*) as requests,
        count_if(status between 400 and 499) as client_errors,
        count_if(status >= 500) as server_errors,
        count(distinct host) as hosts,
        sum(bytes) as bytes
    from requests
    group by grouping sets ((network, path), (posted_date, network, path))
),

ranked as (
    select
        *,
        rank() over (partition by posted_date order by requests desc) as rank,
        row_number() over (partition by posted_date order by requests desc, network asc, path asc) as position
    from counted
)

select
    posted_date,
    rank,
    network,
    path,
    requests,
    client_errors,
    server_errors,
    hosts,
    bytes
from ranked
where position <= {{ params.limit | integer }}
order by posted_date asc nulls first, position asc
