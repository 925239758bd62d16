-- redacted_versions: the rows of some partitions of post_versions; of posts that were deleted only a count is left.
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
    arrival_interval,
    posted_date
from versions
where not is_gone or posted_date <> 'corrections'
