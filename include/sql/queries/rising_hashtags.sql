-- The hashtags of the newest ranked hour, the one that rises most above the week before first.
with newest as (
    select max(window_hour) as window_hour
    from hashtag_ranking
)

select
    h.window_hour,
    h.rank,
    h.hashtag,
    h.posts,
    h.authors,
    h.usual_posts,
    h.burst
from hashtag_ranking as h
inner join newest on h.window_hour = newest.window_hour
order by h.rank asc
