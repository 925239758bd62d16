-- hashtag_days: one row per posted day and hashtag of an interval, at most `limit` a day, that of most posts first.
with of_tag as (
    select distinct
        post_versions.network,
        post_versions.post_id
    from post_versions
    cross join unnest(post_versions.tags) as t (tag)
    where {{ params.has_tag | boolean }} and t.tag = {{ params.tag | text }}
),

tagged as (
    select distinct
        posts.posted_date,
        posts.network,
        posts.post_id,
        lower(t.tag) as hashtag
    from posts
    cross join unnest(posts.hashtags) as t (tag)
    left join of_tag
        on posts.network = of_tag.network and posts.post_id = of_tag.post_id
    where
        posts.posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
        and posts.posted_at >= {{ params.all_from | timestamp }}
        and posts.posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or posts.network in ({{ params.networks_ranked | texts }}))
        and ({{ params.include_reposts | boolean }} or posts.repost_of is null)
        and (not {{ params.has_tag | boolean }} or of_tag.post_id is not null)
        and t.tag <> ''
),

counted as (
    select
        posted_date,
        hashtag,
        count(*) as posts
    from tagged
    group by posted_date, hashtag
),

ranked as (
    select
        posted_date,
        hashtag,
        posts,
        row_number() over (partition by posted_date order by posts desc, hashtag asc) as rank
    from counted
)

select
    posted_date,
    rank,
    hashtag,
    posts
from ranked
where rank <= {{ params.limit | integer }}
order by posted_date asc, rank asc
