-- touched_hours: one row per posted hour of the week before an hour that the hashtags' debt names, the newest first.
select date_format(date_trunc('hour', posted_minute), '%Y-%m-%dT%H:%i:%s') as posted_hour
from hashtag_debt
where
    run in ({{ params.debt_runs | texts }})
    and posted_minute >= {{ params.touched_from | timestamp }}
    and posted_minute < {{ params.touched_to | timestamp }}
group by 1
order by 1 desc
