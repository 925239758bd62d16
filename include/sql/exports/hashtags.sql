-- hashtags: one row per hashtag of an interval, the one of most posts first. mean_length: characters of a text.
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
        posts.network,
        posts.post_id,
        posts.author_id,
        length(posts.text) as characters,
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
)

select
    hashtag,
    count(*) as posts,
    count(distinct concat(network, '/', author_id)) as authors,
    round(avg(cast(characters as double)), 1) as mean_length
from tagged
group by hashtag
order by posts desc, hashtag asc
limit {{ params.limit | integer }}
