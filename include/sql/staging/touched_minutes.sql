-- touched_minutes: one row per posted minute that an arrival hour adds to,
-- and one per version that may leave a minute: deleted, moved by an edit or repeated by a post of another day, replaced
-- within the day. Which version of a post wins is the same in every day: edits, then received_at, then posted_at.
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
                posted_date not in ('corrections', 'likes', 'metrics')
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

deletions as (
    select
        kind,
        network,
        post_id,
        author_id,
        posted_at,
        received_at,
        arrival_interval,
        is_new
    from seen
    where kind = 'delete' and (is_new or posted_date = 'corrections')
),

-- The later versions of edited posts, with the id that the post is known by.
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
        deletions.kind,
        chains.network,
        chains.post_id,
        deletions.posted_at,
        deletions.received_at,
        cast(null as varchar) as posted_date,
        case when deletions.is_new then deletions.arrival_interval else chains.arrival_interval end
            as arrival_interval,
        deletions.is_new or chains.is_new as is_new
    from deletions
    inner join chains
        on deletions.network = chains.network and deletions.post_id = chains.version_id
),

arrived_ids as (
    select distinct
        network,
        post_id
    from arrived
    where kind in ('post', 'edit')
),

-- What the lake holds of posts that arrived again: other versions, and marks of deletions.
other_versions as (
    select
        case when known.kind in ('post', 'edit') then known.kind else 'delete' end as kind,
        known.network,
        known.post_id,
        known.posted_at,
        known.received_at,
        known.posted_date,
        known.arrival_interval,
        known.is_new
    from known
    inner join arrived_ids
        on known.network = arrived_ids.network and known.post_id = arrived_ids.post_id
    where
        known.kind in ('post', 'edit', 'deleted', 'redacted_post', 'redacted_edit')
        and known.posted_date <> 'corrections'
),

authors_posts as (
    select
        deletions.kind,
        versions.network,
        versions.post_id,
        cast(null as timestamp(3)) as posted_at,
        deletions.received_at,
        cast(null as varchar) as posted_date,
        case when deletions.is_new then deletions.arrival_interval else versions.arrival_interval end
            as arrival_interval,
        deletions.is_new or versions.is_new as is_new
    from versions
    inner join deletions
        on versions.network = deletions.network and versions.author_id = deletions.author_id
    where
        deletions.post_id = concat('author:', deletions.author_id)
        and versions.posted_at <= coalesce(deletions.posted_at, deletions.received_at, versions.posted_at)
),

-- What may take a version out of its day or minute.
rivals as (
    select
        kind,
        network,
        post_id,
        posted_at,
        received_at,
        posted_date,
        arrival_interval,
        is_new
    from arrived
    where kind in ('post', 'edit')
    union all
    select * from other_versions
    union all
    select
        kind,
        network,
        post_id,
        posted_at,
        received_at,
        cast(null as varchar) as posted_date,
        arrival_interval,
        is_new
    from deletions
    union all
    select * from deleted_chains
    union all
    select * from authors_posts
),

marks as (
    select distinct
        case when rivals.is_new then rivals.arrival_interval else versions.arrival_interval end as arrival_interval,
        case
            when rivals.kind = 'delete' then 'deleted'
            when rivals.posted_date = versions.posted_date then 'replaced'
            when rivals.kind = 'edit' then 'moved'
            else 'repeated'
        end as kind,
        versions.network,
        versions.post_id,
        case when rivals.kind = 'delete' then versions.posted_at else rivals.posted_at end as posted_at,
        rivals.received_at,
        versions.posted_date,
        date_trunc('minute', versions.posted_at) as posted_minute,
        cast(0 as bigint) as lines
    from versions
    inner join rivals
        on versions.network = rivals.network and versions.post_id = rivals.post_id
    where
        (versions.is_new or rivals.is_new)
        and (
            rivals.kind = 'delete'
            or (
                date_trunc('minute', rivals.posted_at) <> date_trunc('minute', versions.posted_at)
                and (rivals.kind = 'edit' or versions.kind = 'post')  -- no post goes before an edit
            )
        )
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
