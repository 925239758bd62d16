-- The windows of an export that does not list them: posts is the sum over the ranked authors.
insert into staged_windows (granularity, window_start, window_end, posts, revision)
select
    granularity,
    window_start,
    window_end,
    sum(posts) as posts,
    max(revision) as revision
from staged_rankings
group by granularity, window_start, window_end;
