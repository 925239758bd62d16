-- settled_ranking: one row per window and rank of some days, of the newest revision alone.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array['window_date'],
    bucketed_by = array['granularity'],
    bucket_count = 1
) as
with revisions as (
    select
        *,
        max(revision) over (
            partition by window_date, granularity, window_start, window_end, network_scope
        ) as newest_revision,
        max(run) over (
            partition by window_date, granularity, window_start, window_end, network_scope, revision
        ) as newest_run
    from author_ranking_revisions
    where window_date in ({{ params.days | texts }})
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
    window_date
from revisions
where revision = newest_revision and run = newest_run
