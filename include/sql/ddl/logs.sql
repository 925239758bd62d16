-- logs: one row per network, request of a log and arrival day. A request that was delivered twice is one row.
-- Name arrival days (dt) in every query: the view reads raw lines, which are kept for as long as the raw zone.
create or replace view logs as
with lines as (
    select
        network,
        post_id,
        try(cast(from_iso8601_timestamp(posted_at) at time zone 'UTC' as timestamp(3))) as posted_at,
        host,
        user_name,
        method,
        path,
        status,
        bytes,
        referrer,
        agent,
        collector,
        dt
    from raw_posts
    where kind = 'log' and post_id is not null and host is not null
)

select
    network,
    post_id,
    max(posted_at) as posted_at,
    max(host) as host,
    max(user_name) as user_name,
    max(method) as method,
    max(path) as path,
    max(status) as status,
    max(bytes) as bytes,
    max(referrer) as referrer,
    max(agent) as agent,
    max(collector) as collector,
    dt
from lines
group by network, post_id, dt
