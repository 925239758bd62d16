-- scoped_minutes: one row per network, author and tumbling minute: what a ranking with a metric or a tag counts.
-- Each event weighs as much as the metric says: a post and a repost by its author, a repost and a like for the author
-- of the post that it is of, at the moment of the repost or like. What is of a deleted post, or of an author who left,
-- counts for nobody. Posts that weigh nothing are there for the names of their authors.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | text }}
) as
with tagged as (
    select distinct
        post_versions.network,
        post_versions.post_id
    from post_versions
    cross join unnest(post_versions.tags) as t (tag)
    where {{ params.has_tag | boolean }} and t.tag = {{ params.tag | text }}
),

day_posts as (
    select
        posts.network,
        posts.post_id,
        posts.author_id,
        posts.author_handle,
        posts.author_name,
        posts.posted_at,
        posts.repost_of,
        posts.repost_of_author
    from posts
    where
        posts.posted_date in ({{ params.read_days | texts }})
        and posts.posted_date
        <= date_format(date_add('day', 1, date_parse(substr(posts.arrival_interval, 1, 10), '%Y-%m-%d')), '%Y-%m-%d')
),

reposts as (
    select
        day_posts.network,
        day_posts.post_id,
        day_posts.author_id,
        day_posts.posted_at,
        day_posts.repost_of as subject,
        coalesce(day_posts.repost_of_author, originals.author_id) as subject_author
    from day_posts
    left join day_posts as originals
        on day_posts.network = originals.network and day_posts.repost_of = originals.post_id
    where day_posts.repost_of is not null
),

received as (
    select
        network,
        post_id,
        posted_at,
        subject,
        subject_author,
        {{ params.reposts_received_weight | integer }} as weight
    from reposts
    union all
    select
        network,
        post_id,
        posted_at,
        like_of as subject,
        like_of_author as subject_author,
        {{ params.likes_received_weight | integer }} as weight
    from likes
    where
        arrival_interval >= {{ params.likes_since | text }}
        and arrival_interval < {{ params.likes_until | text }}
        and date_format(posted_at, '%Y-%m-%d') in ({{ params.read_days | texts }})
),

lasting as (
    select received.*
    from received
    where
        received.subject_author is not null
        and received.weight > 0
        and not exists (
            select 1
            from tombstones
            where tombstones.network = received.network and tombstones.post_id = received.subject
        )
        and not exists (
            select 1
            from tombstones
            where
                tombstones.is_author
                and tombstones.network = received.network
                and tombstones.author_id = received.subject_author
                and received.posted_at <= coalesce(tombstones.deleted_at, received.posted_at)
        )
),

events as (
    select
        network,
        post_id,
        post_id as subject,
        author_id,
        author_handle,
        author_name,
        posted_at,
        case
            when {{ params.include_reposts | boolean }} or repost_of is null
                then {{ params.posts_weight | integer }}
            else 0
        end as weight
    from day_posts
    union all
    select
        network,
        post_id,
        subject,
        author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        posted_at,
        {{ params.reposts_made_weight | integer }} as weight
    from reposts
    union all
    select
        network,
        post_id,
        subject,
        subject_author as author_id,
        cast(null as varchar) as author_handle,
        cast(null as varchar) as author_name,
        posted_at,
        weight
    from lasting
),

selected as (
    select
        events.network,
        events.post_id,
        events.author_id,
        events.author_handle,
        events.author_name,
        events.posted_at,
        events.weight,
        date_trunc('minute', events.posted_at) as posted_minute,
        date_diff('millisecond', timestamp '1970-01-01 00:00:00.000', events.posted_at) as posted_ms
    from events
    left join tagged
        on events.network = tagged.network and events.post_id = tagged.post_id
    left join tagged as tagged_subjects
        on events.network = tagged_subjects.network and events.subject = tagged_subjects.post_id
    where
        not {{ params.has_tag | boolean }}
        or tagged.post_id is not null
        or tagged_subjects.post_id is not null
),

timed as (
    select
        *,
        sum(weight) over (
            partition by network, author_id
            order by posted_ms asc
            range between 59999 preceding and current row
        ) as recent_weight,
        row_number() over (
            partition by network, author_id, posted_minute
            order by
                case when author_handle is null then 1 else 0 end asc,
                posted_ms desc,
                post_id desc
        ) as newest_rank
    from selected
)

select
    network,
    author_id,
    max(case when newest_rank = 1 then author_handle end) as author_handle,
    max(case when newest_rank = 1 then author_name end) as author_name,
    posted_minute,
    sum(weight) as posts,
    max(recent_weight) as peak_at_posts,
    sum(case when posted_at > posted_minute then weight else 0 end) as tail,
    date_format(posted_minute, '%Y-%m-%d') as posted_date
from timed
group by network, author_id, posted_minute
