-- touched_minutes: one row per posted minute that an arrival hour adds to,
-- and one per post that the hour takes out of a minute (deleted, moved to another day, replaced within the day).
-- A delete of any version of an edited post takes out the post, whichever of the two arrived first.
-- An author's tombstone counts as one of each post that has a version up to its moment.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }}
) as
with arrived as (
    select
        kind,
        network,
        post_id,
        author_id,
        posted_at,
        received_at,
        posted_date,
        arrival_interval,
        copies,
        versions,
        true as is_new
    from {{ params.arrivals | name }}
),

known as (
    select
        kind,
        network,
        post_id,
        author_id,
        posted_at,
        received_at,
        posted_date,
        arrival_interval,
        cast(null as bigint) as copies,
        versions,
        false as is_new
    from post_versions
    where
        arrival_interval not in ({{ params.arrival_hours | texts }})
        and (
            (
                posted_date = 'corrections'
                and arrival_interval >= {{ params.corrections_since | text }}
            )
            or (
                posted_date <> 'corrections'
                and arrival_interval >= {{ params.versions_since | text }}
            )
        )
),

seen as (
    select * from arrived
    union all
    select * from known
),

versions as (
    select *
    from seen
    where kind in ('post', 'edit') and posted_date <> 'corrections'
),

told as (
    select
        kind,
        network,
        post_id,
        author_id,
        posted_at,
        received_at,
        date_format(posted_at, '%Y-%m-%d') as posted_date,
        arrival_interval,
        is_new
    from seen
    where posted_date = 'corrections' or (is_new and kind in ('edit', 'delete'))
),

chains as (
    select
        seen.network,
        t.version_id,
        seen.post_id,
        seen.arrival_interval,
        seen.is_new
    from seen
    cross join unnest(seen.versions) as t (version_id)
    where t.version_id <> seen.post_id
),

deleted_chains as (
    select
        told.kind,
        chains.network,
        chains.post_id,
        told.posted_at,
        told.received_at,
        told.posted_date,
        case when told.is_new then told.arrival_interval else chains.arrival_interval end as arrival_interval,
        told.is_new or chains.is_new as is_new
    from told
    inner join chains
        on told.network = chains.network and told.post_id = chains.version_id
    where told.kind = 'delete'
),

authors_posts as (
    select
        told.kind,
        versions.network,
        versions.post_id,
        cast(null as timestamp(3)) as posted_at,
        told.received_at,
        cast(null as varchar) as posted_date,
        case when told.is_new then told.arrival_interval else versions.arrival_interval end as arrival_interval,
        told.is_new or versions.is_new as is_new
    from versions
    inner join told
        on versions.network = told.network and versions.author_id = told.author_id
    where
        told.kind = 'delete'
        and told.post_id = concat('author:', told.author_id)
        and versions.posted_at <= coalesce(told.posted_at, told.received_at, versions.posted_at)
),

corrections as (
    select
        kind,
        network,
        post_id,
        posted_at,
        received_at,
        posted_date,
        arrival_interval,
        is_new
    from told
    union all
    select * from deleted_chains
    union all
    select * from authors_posts
),

marks as (
    select
        case
            when corrections.is_new then corrections.arrival_interval
            else versions.arrival_interval
        end as arrival_interval,
        case
            when corrections.kind = 'delete' then 'deleted'
            when corrections.posted_date <> versions.posted_date then 'moved'
            else 'replaced'
        end as kind,
        versions.network,
        versions.post_id,
        max(coalesce(corrections.posted_at, versions.posted_at)) as posted_at,
        max(corrections.received_at) as received_at,
        versions.posted_date,
        date_trunc('minute', versions.posted_at) as posted_minute,
        cast(0 as bigint) as lines
    from versions
    inner join corrections
        on versions.network = corrections.network and versions.post_id = corrections.post_id
    where
        (versions.is_new or corrections.is_new)
        and (
            corrections.kind = 'delete'
            or date_trunc('minute', corrections.posted_at) <> date_trunc('minute', versions.posted_at)
        )
    group by 1, 2, 3, 4, 7, 8
),

minutes as (
    select
        arrival_interval,
        'touched' as kind,
        cast(null as varchar) as network,
        cast(null as varchar) as post_id,
        cast(null as timestamp(3)) as posted_at,
        cast(null as timestamp(3)) as received_at,
        posted_date,
        date_trunc('minute', posted_at) as posted_minute,
        sum(copies) as lines
    from arrived
    where kind in ('post', 'edit', 'redacted_post', 'redacted_edit') and posted_at is not null
    group by 1, 7, 8
)

select * from minutes
union all
select * from marks
