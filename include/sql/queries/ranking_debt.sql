-- Posted days whose rankings are older than their posts; the next default ranking settles them.
select
    posted_date,
    count(distinct posted_minute) as minutes,
    sum(lines) as lines,
    count(distinct run) as runs
from touched_minutes
group by posted_date
order by posted_date asc
