-- arrivals: one row per arrival hour, post, posted day and kind: the newest of its lines, typed.
-- copies says how many lines there were.
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
            when kind in ('post', 'edit') and author_id is not null and posted_at is not null then kind
            when kind in ('redacted_post', 'redacted_edit') then kind
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
        arrival_interval
    from lines
),

dated as (
    select
        *,
        case when kind not in ('delete', 'unusable') then date_format(posted_at, '%Y-%m-%d') end as posted_date
    from judged
),

folded as (
    select
        *,
        count(*) over (partition by arrival_interval, network, post_id, kind, posted_date) as copies,
        row_number() over (
            partition by arrival_interval, network, post_id, kind, posted_date
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
    kind,
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
    copies,
    arrival_interval,
    posted_date
from folded
where version_rank = 1
