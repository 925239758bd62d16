-- posts_by_type: one row per posted day and type of post of an interval, in that order.
-- A repost is one whatever else it is; what quotes and replies is a quote. mean_length: characters of a text.
with typed as (
    select
        posted_date,
        network,
        author_id,
        length(text) as characters,
        case
            when repost_of is not null then 'repost'
            when quote_of is not null then 'quote'
            when reply_to is not null then 'reply'
            else 'original'
        end as type
    from posts
    where
        posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
        and posted_at >= {{ params.all_from | timestamp }}
        and posted_at < {{ params.all_to | timestamp }}
        and ({{ params.all_networks | boolean }} or network in ({{ params.networks_ranked | texts }}))
        and ({{ params.include_reposts | boolean }} or repost_of is null)
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
