-- Forget what an earlier answer had below the last rank of this one.
delete from place_trends
where window_start = %(window_start)s and woeid = %(woeid)s and rank > %(last)s;
