-- author_ranking: one row per granularity, window, network scope and rank: the window's newest revision.
create or replace view author_ranking as
with revisions as (
    select
        granularity,
        window_start,
        window_end,
        network_scope,
        rank,
        network,
        author_id,
        author_handle,
        author_name,
        posts,
        share,
        previous_rank,
        peak_60s,
        revision,
        window_date,
        run,
        max(revision) over (
            partition by window_date, granularity, window_start, window_end, network_scope
        ) as newest_revision
    from author_ranking_revisions
)

select
    granularity,
    window_start,
    window_end,
    network_scope,
    rank,
    network,
    author_id,
    author_handle,
    author_name,
    posts,
    share,
    previous_rank,
    peak_60s,
    revision,
    window_date,
    run
from revisions
where revision = newest_revision and rank > 0
