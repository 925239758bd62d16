-- reduced_days: one row per partition of post_versions that takes posts out of some posted days.
select distinct
    arrival_interval,
    posted_date
from post_versions
where
    posted_date in ({{ params.days | texts }})
    and kind in ('deleted', 'redacted_post', 'redacted_edit')
order by posted_date asc, arrival_interval asc
