-- Note which revision of each staged window the warehouse has now.
insert into ranked_windows (
    scope, metric, granularity, window_start, window_end, posts, revision, exported_at, object
)
select
    %(network_scope)s as scope,
    %(ranked_metric)s as metric,
    granularity,
    window_start,
    window_end,
    posts,
    revision,
    %(exported_at)s::timestamptz as exported_at,
    %(object_key)s as object
from staged_windows
on conflict (scope, metric, granularity, window_start, window_end) do update set
    posts = excluded.posts,
    revision = excluded.revision,
    exported_at = excluded.exported_at,
    object = excluded.object;
