-- Posts of all authors per hour, of the newest 30 days that were ranked.
select
    window_start as hour,
    posts
from hourly_totals
where
    scope = %(scope)s
    and window_start > (
        select max(newest.window_start) - interval '30 days'
        from hourly_totals as newest
        where newest.scope = %(scope)s
    )
order by window_start
