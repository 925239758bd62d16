-- busiest: one row per host and per path (without query) of the access logs of an interval, and of each of its days.
-- posted_date: null for the whole interval. others: paths of a host, hosts of a path. arrival_from: the first arrival
-- day that can hold requests of the interval.
with requests as (
    select
        logs.network,
        logs.status,
        logs.bytes,
        date_format(logs.posted_at, '%Y-%m-%d') as posted_date,
        sides.kind,
        sides.name,
        sides.other
    from logs
    cross join
        unnest(
            array['host', 'path'],
            array[logs.host, split_part(logs.path, '?', 1)],
            array[split_part(logs.path, '?', 1), logs.host]
        ) as sides (kind, name, other)
    where
        logs.dt >= {{ params.arrival_from | text }}
        and logs.posted_at >= {{ params.all_from | timestamp }}
        and logs.posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or logs.network in ({{ params.networks_ranked | texts }}))
),

counted as (
    select
        posted_date,
        kind,
        network,
        name,
        count(*) as requests,
        count_if(status between 400 and 499) as client_errors,
        count_if(status >= 500) as server_errors,
        count(distinct other) as others,
        sum(bytes) as bytes
    from requests
    group by grouping sets ((kind, network, name), (posted_date, kind, network, name))
),

ranked as (
    select
        *,
        rank() over (partition by posted_date, kind order by requests desc) as rank,
        row_number() over (partition by posted_date, kind order by requests desc, network asc, name asc) as position
    from counted
)

select
    kind,
    posted_date,
    rank,
    network,
    name,
    requests,
    client_errors,
    server_errors,
    others,
    bytes
from ranked
where position <= {{ params.limit | integer }}
order by kind asc, posted_date asc nulls first, position asc
