-- Remove what an earlier document had of the place and hour.
delete from place_trends
where window_start = %(window_start)s and woeid = %(woeid)s;
