-- post_versions: one row per arrival hour, post, posted day and kind, for at most 100 pairs of hour and day.
-- The pseudo-day 'corrections' holds edits and tombstones as they came, 'likes' the likes of all days, 'metrics'
-- the observations.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['arrival_interval', 'posted_date']
) as
with versions as (
    select *
    from {{ params.arrivals | name }}
    where kind in ('post', 'edit', 'like', 'metrics', 'redacted_post', 'redacted_edit', 'redacted_like')
),

corrections as (
    select
        kind,
        network,
        post_id,
        author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        posted_at,
        cast(null as varchar) as text,
        cast(null as varchar) as lang,
        cast(null as array(varchar)) as hashtags,
        cast(null as array(varchar)) as mentions,
        cast(null as array(varchar)) as urls,
        cast(null as varchar) as reply_to,
        cast(null as varchar) as repost_of,
        cast(null as varchar) as quote_of,
        versions,
        received_at,
        collector,
        source_cursor,
        copies,
        cast(null as varchar) as conversation_id,
        cast(null as varchar) as reply_to_author,
        cast(null as varchar) as repost_of_author,
        cast(null as varchar) as quote_of_author,
        cast(null as array(varchar)) as media_kinds,
        cast(null as array(varchar)) as media_urls,
        cast(null as varchar) as place,
        cast(null as varchar) as source_app,
        cast(null as boolean) as sensitive,
        cast(null as varchar) as uri,
        cast(null as varchar) as visibility,
        cast(null as array(varchar)) as tags,
        cast(null as varchar) as like_of,
        cast(null as varchar) as like_of_author,
        cast(null as bigint) as like_count,
        cast(null as bigint) as repost_count,
        cast(null as bigint) as reply_count,
        cast(null as bigint) as quote_count,
        cast(null as bigint) as view_count,
        cast(null as bigint) as follower_count,
        cast(null as bigint) as following_count,
        cast(null as bigint) as post_count,
        arrival_interval,
        'corrections' as posted_date
    from {{ params.arrivals | name }}
    where kind in ('edit', 'delete')
),

ranked_marks as (
    select
        *,
        row_number() over (
            partition by kind, network, post_id, arrival_interval, posted_date
            order by received_at desc, posted_at desc
        ) as mark_rank
    from {{ params.touched | name }}
    where kind in ('deleted', 'moved', 'repeated')
),

marks as (
    select
        kind,
        network,
        post_id,
        cast(null as varchar) as author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        posted_at,
        cast(null as varchar) as text,
        cast(null as varchar) as lang,
        cast(null as array(varchar)) as hashtags,
        cast(null as array(varchar)) as mentions,
        cast(null as array(varchar)) as urls,
        cast(null as varchar) as reply_to,
        cast(null as varchar) as repost_of,
        cast(null as varchar) as quote_of,
        cast(null as array(varchar)) as versions,
        received_at,
        cast(null as varchar) as collector,
        cast(null as varchar) as source_cursor,
        cast(0 as bigint) as copies,
        cast(null as varchar) as conversation_id,
        cast(null as varchar) as reply_to_author,
        cast(null as varchar) as repost_of_author,
        cast(null as varchar) as quote_of_author,
        cast(null as array(varchar)) as media_kinds,
        cast(null as array(varchar)) as media_urls,
        cast(null as varchar) as place,
        cast(null as varchar) as source_app,
        cast(null as boolean) as sensitive,
        cast(null as varchar) as uri,
        cast(null as varchar) as visibility,
        cast(null as array(varchar)) as tags,
        cast(null as varchar) as like_of,
        cast(null as varchar) as like_of_author,
        cast(null as bigint) as like_count,
        cast(null as bigint) as repost_count,
        cast(null as bigint) as reply_count,
        cast(null as bigint) as quote_count,
        cast(null as bigint) as view_count,
        cast(null as bigint) as follower_count,
        cast(null as bigint) as following_count,
        cast(null as bigint) as post_count,
        arrival_interval,
        posted_date
    from ranked_marks
    where mark_rank = 1
),

everything as (
    select * from versions
    union all
    select * from corrections
    union all
    select * from marks
)

select *
from everything
where concat(arrival_interval, '/', posted_date) in ({{ params.pairs | texts }})
