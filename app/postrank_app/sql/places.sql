-- The places of X's trends, with the newest hour of each.
select
    place,
    woeid,
    max(window_start) as window_start
from place_trends
group by place, woeid
order by place
