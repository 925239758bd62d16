-- hashtag_ranking: one row per hour and hashtag of it, the one that bursts most first.
-- burst: how far the hour's posts lie above those of an average hour of the week before, in units of how much such a
-- count varies by chance (the square root of what is expected; one more, so that a handful of posts is no trend).
-- An hour of the week in which nothing with a hashtag was collected counts as unknown, not as silence.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['window_hour']
) as
with tagged as (
    select distinct
        posts.network,
        posts.post_id,
        posts.author_id,
        lower(t.tag) as hashtag,
        posts.posted_at >= {{ params.window_from | timestamp }} as is_now,
        date_trunc('hour', posts.posted_at) as posted_hour
    from posts
    cross join unnest(posts.hashtags) as t (tag)
    where
        posts.posted_date in ({{ params.read_days | texts }})
        and posts.posted_at >= {{ params.week_from | timestamp }}
        and posts.posted_at < {{ params.window_to | timestamp }}
        and t.tag <> ''
),

week as (
    select greatest(count(distinct posted_hour), 1) as hours
    from tagged
    where not is_now
),

counted as (
    select
        hashtag,
        sum(case when is_now then 1 else 0 end) as posts,
        sum(case when is_now then 0 else 1 end) as week_posts,
        count(distinct case when is_now then concat(network, '/', author_id) end) as authors
    from tagged
    group by hashtag
),

scored as (
    select
        counted.hashtag,
        counted.posts,
        counted.authors,
        counted.week_posts,
        cast(counted.week_posts as double) / week.hours as usual_posts
    from counted
    cross join week
    where counted.posts > 0
),

bursting as (
    select
        hashtag,
        posts,
        authors,
        week_posts,
        usual_posts,
        round((posts - usual_posts) / sqrt(usual_posts + 1), 6) as burst
    from scored
),

ranked as (
    select
        hashtag,
        posts,
        authors,
        week_posts,
        usual_posts,
        burst,
        row_number() over (order by burst desc, posts desc, hashtag asc) as rank
    from bursting
)

select
    rank,
    hashtag,
    posts,
    authors,
    week_posts,
    usual_posts,
    burst,
    {{ params.window_hour | text }} as window_hour
from ranked
where rank <= {{ params.limit | integer }}
