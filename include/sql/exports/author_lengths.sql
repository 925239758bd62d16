-- author_lengths: one row per author of an interval, the one of most posts first: how long their texts are on average.
with of_tag as (
    select distinct
        post_versions.network,
        post_versions.post_id
    from post_versions
    cross join unnest(post_versions.tags) as t (tag)
    where {{ params.has_tag | boolean }} and t.tag = {{ params.tag | text }}
),

counted as (
    select
        posts.network,
        posts.author_id,
        count(*) as posts,
        round(avg(cast(length(posts.text) as double)), 1) as mean_length
    from posts
    left join of_tag
        on posts.network = of_tag.network and posts.post_id = of_tag.post_id
    where
        posts.posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
        and posts.posted_at >= {{ params.all_from | timestamp }}
        and posts.posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or posts.network in ({{ params.networks_ranked | texts }}))
        and ({{ params.include_reposts | boolean }} or posts.repost_of is null)
        and (not {{ params.has_tag | boolean }} or of_tag.post_id is not null)
    group by posts.network, posts.author_id
)

select
    network,
    author_id,
    posts,
    mean_length
from counted
order by posts desc, network asc, author_id asc
limit {{ params.limit | integer }}
