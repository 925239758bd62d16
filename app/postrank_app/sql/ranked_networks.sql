-- The networks of one window's authors.
select distinct network
from rankings
where
    scope = %(scope)s
    and metric = %(metric)s
    and granularity = %(granularity)s
    and window_start = %(window_start)s
    and window_end = %(window_end)s
order by network
