-- The original JSON of the newest arrival day's posts as their networks gave it, where a collector keeps it.
with newest as (
    select max(dt) as dt
    from raw_json
)

select
    network,
    post_id,
    author_id,
    posted_at,
    seen_at,
    collector,
    json
from originals
where dt in (select newest.dt from newest)
order by seen_at desc, network asc, post_id asc
limit 100
