-- superseded_revisions: one row per window date and run, of which no row is the newest revision of its window any more.
with revisions as (
    select
        window_date,
        run,
        revision,
        max(revision) over (
            partition by window_date, granularity, window_start, window_end, network_scope
        ) as newest_revision
    from author_ranking_revisions
    where rank = 0 and window_date < {{ params.before | text }}
)

select
    window_date,
    run
from revisions
group by window_date, run
having max(case when revision = newest_revision then 1 else 0 end) = 0
order by window_date asc, run asc
