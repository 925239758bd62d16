-- The hours whose hashtags were ranked, the newest first.
select distinct window_start
from hashtag_trends
order by window_start desc
limit 500
