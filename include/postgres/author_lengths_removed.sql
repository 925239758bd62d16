-- Remove what an earlier export had of the interval.
delete from author_lengths
where
    scope = %(scope)s
    and interval_start = %(interval_start)s
    and interval_end = %(interval_end)s;
