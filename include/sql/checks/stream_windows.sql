-- check of the stream's windows: the closed minutes of some days that the stream counted otherwise than the lake.
-- The stream does not tell what a backfill brought, and the lake no longer says who wrote what was redacted: a minute's
-- windows may count less than its posts by the former, and more by the latter. Either side may have told of late posts
-- that the other has not heard of yet: what had arrived by the settled hour is held to all that has arrived since.
with closed as (
    select
        network,
        author_id,
        cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3)) as posted_minute,
        max(posts) as posts,
        max(case when concat(dt, 'T', hour) <= {{ params.settled_hour | text }} then posts end) as settled_posts
    from raw_author_windows
    where
        dt in ({{ params.window_dates | texts }})
        and kind = 'tumbling'
        and final
        and window_start >= {{ params.window_from | text }}
        and window_start < {{ params.window_to | text }}
    group by 1, 2, 3
),

lake as (
    select
        kind,
        network,
        post_id,
        author_id,
        arrival_interval <= {{ params.settled_hour | text }}
        and coalesce(collector, '') not like '%-backfill' as is_due,
        cast(date_trunc('minute', posted_at) as timestamp(3)) as posted_minute
    from post_versions
    where
        posted_date in ({{ params.days | texts }})
        and kind in ('post', 'redacted_post')
        and posted_at >= {{ params.window_from | timestamp }}
        and posted_at < {{ params.window_to | timestamp }}
),

counted as (
    select
        network,
        author_id,
        posted_minute,
        count(distinct post_id) as posts,
        count(distinct case when is_due then post_id end) as due_posts
    from lake
    where kind = 'post'
    group by 1, 2, 3
),

redacted as (
    select
        network,
        posted_minute,
        count(distinct post_id) as posts
    from lake
    where kind = 'redacted_post'
    group by 1, 2
),

newest as (
    select max(cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3))) as posted_minute
    from raw_author_windows
    where
        dt in ({{ params.window_dates | texts }})
        and kind = 'tumbling'
        and final
),

compared as (
    select
        coalesce(closed.network, counted.network) as network,
        coalesce(closed.author_id, counted.author_id) as author_id,
        coalesce(closed.posted_minute, counted.posted_minute) as posted_minute,
        coalesce(closed.posts, 0) as stream_posts,
        coalesce(counted.posts, 0) as lake_posts,
        coalesce(counted.due_posts, 0) as due_posts,
        greatest(coalesce(closed.settled_posts, 0) - coalesce(counted.posts, 0), 0) as missing_posts
    from closed
    full outer join counted
        on
            closed.network = counted.network
            and closed.author_id = counted.author_id
            and closed.posted_minute = counted.posted_minute
),

judged as (
    select
        compared.*,
        sum(compared.missing_posts) over (
            partition by compared.network, compared.posted_minute
        ) as missing_in_minute,
        coalesce(redacted.posts, 0) as redacted_posts
    from compared
    left join redacted
        on
            compared.network = redacted.network
            and compared.posted_minute = redacted.posted_minute
)

select
    judged.network,
    judged.author_id,
    judged.posted_minute,
    judged.stream_posts,
    judged.lake_posts,
    judged.redacted_posts
from judged
cross join newest
where
    judged.posted_minute <= newest.posted_minute
    and (
        judged.stream_posts < judged.due_posts
        or (judged.missing_posts > 0 and judged.missing_in_minute > judged.redacted_posts)
    )
order by 3 asc, 1 asc, 2 asc
limit 20
