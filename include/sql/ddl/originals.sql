-- originals: one row per network, post and form of its original JSON in an arrival day. Deleted posts are left out.
-- Name arrival days (dt) in every query: the view reads the raw zone, which is kept for as long as that.
create or replace view originals as
with rows_of_posts as (
    select
        network,
        post_id,
        author_id,
        try(cast(from_iso8601_timestamp(posted_at) at time zone 'UTC' as timestamp(3))) as posted_at,
        try(cast(from_iso8601_timestamp(seen_at) at time zone 'UTC' as timestamp(3))) as seen_at,
        collector,
        json,
        dt
    from raw_json
    where kind = 'raw' and post_id is not null and json is not null
)

select
    network,
    post_id,
    max(author_id) as author_id,
    max(posted_at) as posted_at,
    min(seen_at) as seen_at,
    min(collector) as collector,
    json,
    dt
from rows_of_posts
where
    not exists (
        select 1
        from tombstones
        where
            tombstones.network = rows_of_posts.network
            and tombstones.post_id = rows_of_posts.post_id
    )
    and not exists (
        select 1
        from tombstones
        where
            tombstones.is_author
            and tombstones.network = rows_of_posts.network
            and tombstones.author_id = rows_of_posts.author_id
            and rows_of_posts.posted_at <= coalesce(tombstones.deleted_at, rows_of_posts.posted_at)
    )
group by network, post_id, json, dt
