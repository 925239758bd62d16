-- Remove what an earlier export had of the interval.
delete from posts_by_type
where
    scope = %(scope)s
    and interval_start = %(interval_start)s
    and interval_end = %(interval_end)s;
