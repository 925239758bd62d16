-- author_ranking: one row per granularity, window, network scope and rank: the window's newest revision.
-- While maintenance gathers a day's runs into one, a revision may lie in two of them: the view reads one.
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
        ) as newest_revision,
        max(run) over (
            partition by window_date, granularity, window_start, window_end, network_scope, revision
        ) as newest_run
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
where revision = newest_revision and run = newest_run and rank > 0
