-- hashtag_windows: one row per network, hashtag (lower case) and minute with posts.
-- key: network, hashtag, window_start
with tagged as (
    select
        network,
        posted_at,
        explode(array_distinct(transform(hashtags, tag -> lower(tag)))) as hashtag
    from posts
)

select
    network,
    hashtag,
    window.start as window_start,
    window.end as window_end,
    count(*) as posts
from tagged
group by network, hashtag, window(posted_at, '60 seconds')
