-- metrics: one row per network and post or author: the newest observation of metrics_series.
create or replace view metrics as
with observations as (
    select
        *,
        row_number() over (
            partition by network, post_id
            order by observed_at desc
        ) as newest_rank
    from metrics_series
)

select
    network,
    post_id,
    author_id,
    is_author,
    observed_at,
    like_count,
    repost_count,
    reply_count,
    quote_count,
    view_count,
    follower_count,
    following_count,
    post_count,
    received_at,
    collector,
    arrival_interval
from observations
where newest_rank = 1
