-- metrics_series: one row per network, post or author, and moment: what the network said of it then.
-- Of an author, post_id is author:<author_id>. Observations of deleted posts are gone.
create or replace view metrics_series as
with observations as (
    select
        network,
        post_id,
        author_id,
        coalesce(post_id = concat('author:', author_id), false) as is_author,
        posted_at as observed_at,
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
        arrival_interval,
        row_number() over (
            partition by network, post_id, posted_at
            order by received_at desc, arrival_interval desc, collector asc
        ) as version_rank
    from judged_versions
    where posted_date = 'metrics' and kind = 'metrics' and not is_gone
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
where version_rank = 1
