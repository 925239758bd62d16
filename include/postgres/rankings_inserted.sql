-- Store the rows of the staged windows.
insert into rankings (
    scope, metric, granularity, window_start, window_end, rank, network, author_id, author_handle, author_name, posts,
    share, previous_rank, peak_60s, revision
)
select
    %(network_scope)s as scope,
    %(ranked_metric)s as metric,
    r.granularity,
    r.window_start,
    r.window_end,
    r.rank,
    r.network,
    r.author_id,
    r.author_handle,
    r.author_name,
    r.posts,
    r.share,
    r.previous_rank,
    r.peak_60s,
    r.revision
from staged_rankings as r
where
    exists (
        select 1
        from staged_windows as s
        where
            s.granularity = r.granularity
            and s.window_start = r.window_start
            and s.window_end = r.window_end
    );
