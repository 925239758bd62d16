-- stored_windows: one row per arrival date, network, author and window of the stream; filter on dt to scan little.
-- A window is emitted again while it grows, and by each collector that sees its author: the one with most posts stays.
create or replace view stored_windows as
select
    dt,
    network,
    author_id,
    kind,
    cast(from_iso8601_timestamp(window_start) at time zone 'UTC' as timestamp(3)) as window_start,
    cast(from_iso8601_timestamp(window_end) at time zone 'UTC' as timestamp(3)) as window_end,
    max_by(author_handle, emitted_at) as author_handle,
    max(posts) as posts,
    bool_or(final) as is_final,
    count(distinct collector) as collectors,
    cast(from_iso8601_timestamp(max(emitted_at)) at time zone 'UTC' as timestamp(3)) as emitted_at
from raw_author_windows
where author_id is not null -- windows by other keys are lines of the same stream
group by dt, network, author_id, kind, window_start, window_end
