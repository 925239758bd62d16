-- likes: one row per network and like that was not withdrawn. post_id is the id of the like, like_of that of the post.
create or replace view likes as
with versions as (
    select
        network,
        post_id,
        author_id,
        posted_at,
        like_of,
        like_of_author,
        received_at,
        collector,
        arrival_interval,
        row_number() over (
            partition by network, post_id
            order by received_at desc, posted_at desc, arrival_interval desc
        ) as version_rank
    from judged_versions
    where posted_date = 'likes' and kind = 'like' and not is_gone
)

select
    network,
    post_id,
    author_id,
    posted_at,
    like_of,
    like_of_author,
    received_at,
    collector,
    arrival_interval
from versions
where version_rank = 1
