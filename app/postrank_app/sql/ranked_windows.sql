-- The ranked windows of a scope, the newest first.
select
    window_start,
    window_end,
    posts,
    revision,
    exported_at,
    window_end > exported_at as is_incomplete
from ranked_windows
where scope = %(scope)s and metric = %(metric)s and granularity = %(granularity)s
order by window_start desc, window_end desc
limit 1000
