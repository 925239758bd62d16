-- check of Spark's windows: the minutes of some days that Spark counted otherwise than the lake.
-- Spark reads the same stream as Firehose: what had arrived by the settled hour must be in its windows, and nothing
-- may be in them that never arrived. A backfill writes to the lake alone, and of what was redacted the lake knows the
-- minute but no longer the author: such minutes may differ by as much.
with spark as (
    select
        network,
        author_id,
        cast(window_start as timestamp(3)) as posted_minute,
        max(posts) as posts
    from stream_author_windows
    where
        dt in ({{ params.days | texts }})
        and kind = 'tumbling'
        and window_start >= {{ params.window_from | timestamp }}
        and window_start < {{ params.window_to | timestamp }}
    group by 1, 2, 3
),

lines as (
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

lake as (
    select
        network,
        author_id,
        posted_minute,
        count(distinct post_id) as posts,
        count(distinct case when is_due then post_id end) as due_posts
    from lines
    where kind = 'post'
    group by 1, 2, 3
),

redacted as (
    select
        network,
        posted_minute,
        count(distinct post_id) as posts
    from lines
    where kind = 'redacted_post'
    group by 1, 2
),

paired as (
    select
        coalesce(spark.network, lake.network) as network,
        coalesce(spark.author_id, lake.author_id) as author_id,
        coalesce(spark.posted_minute, lake.posted_minute) as posted_minute,
        coalesce(spark.posts, 0) as spark_posts,
        coalesce(lake.posts, 0) as lake_posts,
        coalesce(lake.due_posts, 0) as due_posts
    from spark
    full outer join lake
        on
            spark.network = lake.network
            and spark.author_id = lake.author_id
            and spark.posted_minute = lake.posted_minute
)

select
    paired.network,
    paired.author_id,
    paired.posted_minute,
    paired.spark_posts,
    paired.lake_posts,
    coalesce(redacted.posts, 0) as redacted_posts
from paired
left join redacted
    on
        paired.network = redacted.network
        and paired.posted_minute = redacted.posted_minute
where
    paired.spark_posts < paired.due_posts
    or paired.spark_posts > paired.lake_posts + coalesce(redacted.posts, 0)
order by 3 asc, 1 asc, 2 asc
limit 20
