-- author_lengths: one row per author of an interval, the one of most posts first: how long their texts are on average.
select
    network,
    author_id,
    count(*) as posts,
    round(avg(cast(length(text) as double)), 1) as mean_length
from posts
where
    posted_date between {{ params.first_day | text }} and {{ params.last_day | text }}
    and posted_at >= {{ params.all_from | timestamp }}
    and posted_at < {{ params.all_to | timestamp }}
    and ({{ params.all_networks | boolean }} or network in ({{ params.networks_ranked | texts }}))
    and ({{ params.include_reposts | boolean }} or repost_of is null)
group by network, author_id
order by posts desc, network asc, author_id asc
limit {{ params.limit | integer }}
