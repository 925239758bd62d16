-- trending_hashtags: one row per hashtag of the hour, in reading order.
select
    rank,
    hashtag,
    posts,
    authors,
    week_posts,
    usual_posts,
    burst
from hashtag_ranking
where window_hour = {{ params.window_hour | text }}
order by rank asc
