-- What was trending at a place, over the last two days of its hours.
select
    window_start,
    rank,
    name,
    posts
from place_trends
where
    woeid = %(woeid)s
    and window_start > (
        select max(newest.window_start) - interval '2 days'
        from place_trends as newest
        where newest.woeid = %(woeid)s
    )
order by window_start desc, rank asc
