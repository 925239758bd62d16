-- A hashtag over the hours in which it was among the bursting ones.
select
    window_start,
    posts,
    authors,
    usual_posts
from hashtag_trends
where hashtag = %(hashtag)s
order by window_start
