-- touched_days: one row per arrival hour and posted day that the debt names.
-- An empty arrival hour says that an earlier run still owes it.
select
    case when run = {{ params.run | text }} then arrival_interval else '' end as arrival_interval,
    posted_date,
    min(posted_minute) as first_minute,
    max(posted_minute) as last_minute
from touched_minutes
where run in ({{ params.debt_runs | texts }})
group by 1, 2
order by 1, 2
