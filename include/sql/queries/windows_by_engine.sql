-- Author minutes and their posts, as streamer, Spark and lake counted them. Spark's row is there if it counts.
with streamer as (
    select
        network,
        author_id,
        window_start,
        max(posts) as posts
    from raw_author_windows
    where
        kind = 'tumbling'
        and final
    group by network, author_id, window_start, collector
),

spark as (
    select
        network,
        author_id,
        window_start,
        max(posts) as posts
    from stream_author_windows
    where kind = 'tumbling'
    group by network, author_id, window_start
),

lake as (
    select
        network,
        author_id,
        date_trunc('minute', posted_at) as window_start,
        count(distinct post_id) as posts
    from post_versions
    where kind = 'post'
    group by network, author_id, date_trunc('minute', posted_at)
)

select
    'streamer' as engine,
    count(*) as minutes,
    sum(posts) as posts
from streamer
union all
select
    'spark' as engine,
    count(*) as minutes,
    sum(posts) as posts
from spark
union all
select
    'lake' as engine,
    count(*) as minutes,
    sum(posts) as posts
from lake
order by engine asc
