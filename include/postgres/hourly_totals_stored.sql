-- Store the posts of the staged hours; a ranking by another metric counts them alike.
insert into hourly_totals (scope, window_start, posts, revision)
select
    %(network_scope)s as scope,
    window_start,
    posts,
    revision
from staged_windows
where granularity = 'hour' and %(ranked_metric)s = 'posts'
on conflict (scope, window_start) do update set
    posts = excluded.posts,
    revision = excluded.revision;
