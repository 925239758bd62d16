-- Remove what an earlier document had of the hour.
delete from hashtag_trends
where window_start = %(window_start)s;
