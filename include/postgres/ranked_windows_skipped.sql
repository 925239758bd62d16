-- Leave out windows of which the warehouse has a newer revision.
delete from staged_windows as s
using ranked_windows as w
where
    w.scope = %(network_scope)s
    and w.metric = %(ranked_metric)s
    and w.granularity = s.granularity
    and w.window_start = s.window_start
    and w.window_end = s.window_end
    and (w.revision, w.exported_at) > (s.revision, %(exported_at)s::timestamptz);
