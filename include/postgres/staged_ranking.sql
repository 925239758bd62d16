-- Tables for one load; they vanish with its transaction.
drop table if exists staged_rankings, staged_windows, staged_removals;
create temporary table staged_rankings (
    granularity text,
    window_start timestamptz,
    window_end timestamptz,
    rank bigint,
    network text,
    author_id text,
    author_handle text,
    author_name text,
    posts bigint,
    share double precision,
    previous_rank bigint,
    peak_60s bigint,
    revision bigint
) on commit drop;
create temporary table staged_windows (
    granularity text,
    window_start timestamptz,
    window_end timestamptz,
    posts bigint,
    revision bigint
) on commit drop;
create temporary table staged_removals (
    network text,
    author_id text
) on commit drop;
