-- The posted days whose rankings are older than their posts: what the next default ranking settles.
select
    posted_date,
    count(distinct posted_minute) as minutes,
    sum(lines) as lines,
    count(distinct run) as runs
from touched_minutes
group by posted_date
order by posted_date asc
