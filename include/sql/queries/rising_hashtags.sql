-- Hashtags of the newest ranked hour, ordered by how far they rise above the week before.
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
