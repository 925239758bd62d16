-- hourly_totals: one row per network and hour with posts; `authors` is an estimate within 2 %.
-- key: network, window_start
select
    network,
    window.start as window_start,
    window.end as window_end,
    count(*) as posts,
    approx_count_distinct(author_id, 0.02) as authors
from posts
group by network, window(posted_at, '1 hour')
