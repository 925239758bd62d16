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
    arbitrary(posted_at) as posted_at,
    arbitrary(host) as host,
    arbitrary(user_name) as user_name,
    arbitrary(method) as method,
    arbitrary(path) as path,
    arbitrary(status) as status,
    arbitrary(bytes) as bytes,
    arbitrary(referrer) as referrer,
    arbitrary(agent) as agent,
    arbitrary(collector) as collector,
    dt
from lines
group by network, post_id, dt
