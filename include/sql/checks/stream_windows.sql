-- check of the stream's windows: the closed minutes of some days that the stream counted otherwise than the lake.
with closed as (
    select
        network,
        author_id,
        cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3)) as posted_minute,
        max(posts) as posts
    from raw_author_windows
    where
        dt in ({{ params.window_dates | texts }})
        and kind = 'tumbling'
        and final
        and substr(window_start, 1, 10) in ({{ params.days | texts }})
    group by 1, 2, 3
),

counted as (
    select
        network,
        author_id,
        date_trunc('minute', posted_at) as posted_minute,
        count(distinct post_id) as posts
    from post_versions
    where
        posted_date in ({{ params.days | texts }})
        and kind = 'post'
    group by 1, 2, 3
),

newest as (
    select max(posted_minute) as posted_minute
    from closed
)

select
    coalesce(closed.network, counted.network) as network,
    coalesce(closed.author_id, counted.author_id) as author_id,
    coalesce(closed.posted_minute, counted.posted_minute) as posted_minute,
    closed.posts as stream_posts,
    counted.posts as lake_posts
from closed
full outer join counted
    on
        closed.network = counted.network
        and closed.author_id = counted.author_id
        and closed.posted_minute = counted.posted_minute
cross join newest
where
    coalesce(closed.posts, 0) <> coalesce(counted.posts, 0)
    and coalesce(closed.posted_minute, counted.posted_minute) <= newest.posted_minute
order by 3 asc, 1 asc, 2 asc
limit 20
