-- The 100 authors with the most posts in the newest ranked hour, over all networks.
with newest as (
    select max(window_start) as window_start
    from author_ranking_revisions
    where granularity = 'hour'
)

select
    r.window_start,
    r.rank,
    r.network,
    r.author_handle,
    r.author_name,
    r.posts,
    r.share,
    r.previous_rank
from author_ranking as r
inner join newest on r.window_start = newest.window_start
where r.granularity = 'hour' and r.rank <= 100
order by r.network_scope asc, r.rank asc
