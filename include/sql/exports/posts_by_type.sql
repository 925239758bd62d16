-- posts_by_type: one row per posted day and type of post of an interval, in that order.
-- A repost is one whatever else it is; what quotes and replies is a quote. mean_length: characters of a text.
with of_tag as (
    select distinct
        post_versions.network,
        post_versions.post_id
    from post_versions
    cross join unnest(post_versions.tags) as t (tag)
    where {{ params.has_tag | boolean }} and t.tag = {{ params.tag | text }}
),

typed as (
    select
        posts.posted_date,
        posts.network,
        posts.author_id,
        length(posts.text) as characters,
        case
            when posts.repost_of is not null then 'repost'
            when posts.quote_of is not null then 'quote'
            when posts.reply_to is not null then 'reply'
            else 'original'
        end as type
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
)

select
    posted_date,
    type,
    count(*) as posts,
    count(distinct concat(network, '/', author_id)) as authors,
    round(avg(cast(characters as double)), 1) as mean_length
from typed
group by posted_date, type
order by posted_date asc, type asc
