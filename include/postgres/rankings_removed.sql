-- Remove the older revisions of the staged windows.
with removed as (
    delete from rankings as r
    using staged_windows as s
    where
        r.scope = %(network_scope)s
        and r.metric = %(ranked_metric)s
        and r.granularity = s.granularity
        and r.window_start = s.window_start
        and r.window_end = s.window_end
    returning r.network, r.author_id
)

insert into staged_removals (network, author_id)
select distinct
    network,
    author_id
from removed;
