-- touched_days: one row per arrival hour and posted day that the debt names, and whether that day lies ahead: later
-- than the day after the arrival, where posts are kept but not ranked.
-- Late lines were posted in an hour before their arrival hour.
-- An empty arrival hour says that an earlier run still owes it.
select
    case when run = {{ params.run | text }} then arrival_interval else '' end as arrival_interval,
    posted_date,
    coalesce(
        posted_date
        > try(date_format(date_add('day', 1, date_parse(substr(arrival_interval, 1, 10), '%Y-%m-%d')), '%Y-%m-%d')),
        false
    ) as is_ahead,
    min(posted_minute) as first_minute,
    max(posted_minute) as last_minute,
    sum(lines) as lines,
    sum(
        case when posted_minute < try(date_parse(arrival_interval, '%Y-%m-%dT%H')) then lines else 0 end
    ) as late_lines
from touched_minutes
where run in ({{ params.debt_runs | texts }})
group by 1, 2, 3
order by 1, 2, 3
