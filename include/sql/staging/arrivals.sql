-- arrivals: one row per arrival hour, post, posted day and kind: the newest of its lines, typed.
-- copies says how many lines there were. A repost that is no post of its own counts as a post that has nothing but
-- `repost_of`. A post has the tags of all of its lines. Observations (metrics) of different moments are different rows.
-- Requests of logs are counted here and go no further: the view `logs` reads them where they arrived.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }}
) as
with lines as (
    select
        kind,
        network,
        post_id,
        author_id,
        author_handle,
        author_name,
        text,
        lang,
        hashtags,
        mentions,
        urls,
        reply_to,
        repost_of,
        quote_of,
        versions,
        collector,
        source_cursor,
        conversation_id,
        reply_to_author,
        repost_of_author,
        quote_of_author,
        media_kinds,
        media_urls,
        place,
        source_app,
        sensitive,
        uri,
        visibility,
        tags,
        like_of,
        like_of_author,
        like_count,
        repost_count,
        reply_count,
        quote_count,
        view_count,
        follower_count,
        following_count,
        post_count,
        concat(dt, 'T', hour) as arrival_interval,
        try(cast(from_iso8601_timestamp(posted_at) at time zone 'UTC' as timestamp(3))) as posted_at,
        try(cast(from_iso8601_timestamp(received_at) at time zone 'UTC' as timestamp(3))) as received_at
    from raw_posts
    where
        dt in ({{ params.arrival_dates | texts }})
        and hour in ({{ params.arrival_clock_hours | texts }})
        and concat(dt, 'T', hour) in ({{ params.arrival_hours | texts }})
),

judged as (
    select
        case
            when network is null or post_id is null then 'unusable'
            when kind = 'delete' then kind
            when author_id is null and kind in ('post', 'edit', 'repost', 'like') then 'unusable'
            when posted_at is null and kind in ('post', 'edit', 'repost', 'like') then 'unusable'
            when kind in ('post', 'edit') then kind
            when kind = 'repost' and repost_of is not null then 'post'
            when kind = 'like' and like_of is not null then kind
            when kind in ('metrics', 'log') and posted_at is not null then kind
            when kind in ('redacted_post', 'redacted_edit', 'redacted_like', 'redacted_metrics') then kind
            else 'unusable'
        end as kind,
        network,
        post_id,
        author_id,
        author_handle,
        author_name,
        posted_at,
        text,
        lang,
        hashtags,
        mentions,
        urls,
        reply_to,
        repost_of,
        quote_of,
        versions,
        received_at,
        collector,
        source_cursor,
        conversation_id,
        reply_to_author,
        repost_of_author,
        quote_of_author,
        media_kinds,
        media_urls,
        place,
        source_app,
        sensitive,
        uri,
        visibility,
        tags,
        like_of,
        like_of_author,
        like_count,
        repost_count,
        reply_count,
        quote_count,
        view_count,
        follower_count,
        following_count,
        post_count,
        arrival_interval
    from lines
),

dated as (
    select
        *,
        case when kind = 'metrics' then posted_at end as observed_at,
        case
            when kind in ('like', 'redacted_like') then 'likes'
            when kind in ('metrics', 'redacted_metrics') then 'metrics'
            when kind not in ('delete', 'log', 'unusable') then date_format(posted_at, '%Y-%m-%d')
        end as posted_date
    from judged
),

tagged as (
    select
        dated.arrival_interval,
        dated.network,
        dated.post_id,
        dated.kind,
        dated.posted_date,
        array_sort(array_agg(distinct t.tag)) as all_tags
    from dated
    cross join unnest(dated.tags) as t (tag)
    group by dated.arrival_interval, dated.network, dated.post_id, dated.kind, dated.posted_date
),

folded as (
    select
        *,
        count(*) over (
            partition by arrival_interval, network, post_id, kind, posted_date, observed_at
        ) as copies,
        row_number() over (
            partition by arrival_interval, network, post_id, kind, posted_date, observed_at
            order by
                coalesce(cardinality(versions), 0) desc,
                received_at desc,
                posted_at desc,
                length(source_cursor) desc,
                source_cursor desc,
                author_id asc,
                text asc
        ) as version_rank
    from dated
)

select
    folded.kind,
    folded.network,
    folded.post_id,
    folded.author_id,
    folded.author_handle,
    folded.author_name,
    folded.posted_at,
    folded.text,
    folded.lang,
    folded.hashtags,
    folded.mentions,
    folded.urls,
    folded.reply_to,
    folded.repost_of,
    folded.quote_of,
    folded.versions,
    folded.received_at,
    folded.collector,
    folded.source_cursor,
    folded.copies,
    folded.conversation_id,
    folded.reply_to_author,
    folded.repost_of_author,
    folded.quote_of_author,
    folded.media_kinds,
    folded.media_urls,
    folded.place,
    folded.source_app,
    folded.sensitive,
    folded.uri,
    folded.visibility,
    tagged.all_tags as tags,
    folded.like_of,
    folded.like_of_author,
    folded.like_count,
    folded.repost_count,
    folded.reply_count,
    folded.quote_count,
    folded.view_count,
    folded.follower_count,
    folded.following_count,
    folded.post_count,
    folded.arrival_interval,
    folded.posted_date
from folded
left join tagged
    on
        folded.arrival_interval = tagged.arrival_interval
        and folded.network = tagged.network
        and folded.post_id = tagged.post_id
        and folded.kind = tagged.kind
        and folded.posted_date = tagged.posted_date
where folded.version_rank = 1
