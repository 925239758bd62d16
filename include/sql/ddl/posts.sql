-- posts: one row per network and post: the newest version, in the day in which it was posted.
-- An edit goes before a post, then the newest received_at, then the newest posted_at. Tombstoned posts are gone.
create or replace view posts as
with versions as (
    select
        *,
        row_number() over (
            partition by posted_date, network, post_id
            order by
                case when kind in ('post', 'repeated') then 0 when kind in ('edit', 'moved') then 1 else 2 end desc,
                received_at desc,
                posted_at desc,
                arrival_interval desc,
                author_id asc
        ) as version_rank
    from post_versions
    where posted_date <> 'corrections'
)

select
    network,
    post_id,
    author_id,
    author_handle,
    author_name,
    posted_at,
    text,
    lang,
    hashtags,
    mentions,
    urls,
    reply_to,
    repost_of,
    quote_of,
    received_at,
    collector,
    source_cursor,
    arrival_interval,
    posted_date
from versions
where version_rank = 1 and kind in ('post', 'edit')
