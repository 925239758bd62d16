-- ranked_authors: one row per granularity, window and rank of this run, in reading order. Rank 0 is the window itself.
select
    granularity,
    window_start,
    window_end,
    rank,
    network,
    author_id,
    author_handle,
    author_name,
    posts,
    share,
    previous_rank,
    peak_60s,
    revision
from author_ranking_revisions
where
    run = {{ params.run | text }}
    and (
        not {{ params.has_interval | boolean }}
        or (window_start < {{ params.all_to | timestamp }} and window_end > {{ params.all_from | timestamp }})
    )
order by granularity asc, window_start asc, rank asc
