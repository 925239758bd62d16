-- How many rows a later export of the interval has left.
select count(*) as newer_rows
from author_lengths
where
    scope = %(scope)s
    and interval_start = %(interval_start)s
    and interval_end = %(interval_end)s
    and exported_at > %(exported_at)s::timestamptz;
