-- redacted_versions: the rows of some partitions of post_versions; of posts that were deleted only the mark is left.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['arrival_interval', 'posted_date']
) as
with versions as (
    select *
    from post_versions
    where
        arrival_interval in ({{ params.arrival_hours | texts }})
        and posted_date in ({{ params.days | texts }})
        and concat(arrival_interval, '/', posted_date) in ({{ params.pairs | texts }})
),

kept as (
    select *
    from versions
    where
        kind not in ('post', 'edit')
        or not (
            exists (
                select 1
                from tombstones
                where
                    tombstones.network = versions.network
                    and tombstones.post_id = versions.post_id
            )
            or exists (
                select 1
                from tombstones
                where
                    tombstones.is_author
                    and tombstones.network = versions.network
                    and tombstones.author_id = versions.author_id
                    and versions.posted_at <= coalesce(tombstones.deleted_at, versions.posted_at)
            )
        )
),

marks as (
    select
        'deleted' as kind,
        network,
        post_id,
        cast(null as varchar) as author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        cast(null as timestamp(3)) as posted_at,
        cast(null as varchar) as text,
        cast(null as varchar) as lang,
        cast(null as array(varchar)) as hashtags,
        cast(null as array(varchar)) as mentions,
        cast(null as array(varchar)) as urls,
        cast(null as varchar) as reply_to,
        cast(null as varchar) as repost_of,
        cast(null as varchar) as quote_of,
        max(received_at) as received_at,
        cast(null as varchar) as collector,
        cast(null as varchar) as source_cursor,
        sum(copies) as copies,
        arrival_interval,
        posted_date
    from versions
    where
        posted_date <> 'corrections'
        and (
            kind = 'deleted'
            or exists (
                select 1
                from tombstones
                where
                    tombstones.network = versions.network
                    and tombstones.post_id = versions.post_id
            )
            or exists (
                select 1
                from tombstones
                where
                    tombstones.is_author
                    and tombstones.network = versions.network
                    and tombstones.author_id = versions.author_id
                    and versions.posted_at <= coalesce(tombstones.deleted_at, versions.posted_at)
            )
        )
    group by network, post_id, arrival_interval, posted_date
)

select * from kept
where kind <> 'deleted'
union all
select * from marks
