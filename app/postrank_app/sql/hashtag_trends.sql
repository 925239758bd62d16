-- The hashtags of an hour that rise most above the week before.
select
    rank,
    hashtag,
    posts,
    authors,
    usual_posts,
    burst
from hashtag_trends
where window_start = %(window_start)s
order by rank
