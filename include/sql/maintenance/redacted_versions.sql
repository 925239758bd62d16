-- redacted_versions: the rows of some partitions of post_versions; of posts that were deleted only a count is left,
-- of their observations nothing.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['arrival_interval', 'posted_date']
) as
with versions as (
    select *
    from judged_versions
    where
        arrival_interval in ({{ params.arrival_hours | texts }})
        and posted_date in ({{ params.days | texts }})
        and concat(arrival_interval, '/', posted_date) in ({{ params.pairs | texts }})
)

select
    case when is_gone then concat('redacted_', kind) else kind end as kind,
    network,
    post_id,
    case when not is_gone then author_id end as author_id,
    case when not is_gone then author_handle end as author_handle,
    case when not is_gone then author_name end as author_name,
    case when is_gone then cast(date_trunc('minute', posted_at) as timestamp(3)) else posted_at end as posted_at,
    case when not is_gone then text end as text,
    case when not is_gone then lang end as lang,
    case when not is_gone then hashtags end as hashtags,
    case when not is_gone then mentions end as mentions,
    case when not is_gone then urls end as urls,
    case when not is_gone then reply_to end as reply_to,
    case when not is_gone then repost_of end as repost_of,
    case when not is_gone then quote_of end as quote_of,
    versions,
    received_at,
    collector,
    case when not is_gone then source_cursor end as source_cursor,
    copies,
    case when not is_gone then conversation_id end as conversation_id,
    case when not is_gone then reply_to_author end as reply_to_author,
    case when not is_gone then repost_of_author end as repost_of_author,
    case when not is_gone then quote_of_author end as quote_of_author,
    case when not is_gone then media_kinds end as media_kinds,
    case when not is_gone then media_urls end as media_urls,
    case when not is_gone then place end as place,
    case when not is_gone then source_app end as source_app,
    case when not is_gone then sensitive end as sensitive,
    case when not is_gone then uri end as uri,
    case when not is_gone then visibility end as visibility,
    case when not is_gone then tags end as tags,
    case when not is_gone then like_of end as like_of,
    case when not is_gone then like_of_author end as like_of_author,
    case when not is_gone then like_count end as like_count,
    case when not is_gone then repost_count end as repost_count,
    case when not is_gone then reply_count end as reply_count,
    case when not is_gone then quote_count end as quote_count,
    case when not is_gone then view_count end as view_count,
    case when not is_gone then follower_count end as follower_count,
    case when not is_gone then following_count end as following_count,
    case when not is_gone then post_count end as post_count,
    arrival_interval,
    posted_date
from versions
where not is_gone or posted_date not in ('corrections', 'metrics')
