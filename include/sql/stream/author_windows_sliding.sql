-- author_windows_sliding: one row per window (t - 60 s, t], t every 5 s, and author that posted in its last 5 s.
-- output: author_windows
-- key: network, author_id, kind, window_start
-- lateness: 1 millisecond
-- top: 40 per window_start by posts desc, network, author_id
-- Spark's windows are [start, end): a millisecond later, the resolution of event time, they are (start, end].
select
    network,
    author_id,
    max_by(author_handle, posted_at) as author_handle,
    window.start - interval '0.001' second as window_start,
    window.end - interval '0.001' second as window_end,
    'sliding' as kind,
    count(*) as posts
from posts
group by network, author_id, window(posted_at, '60 seconds', '5 seconds', '1 millisecond')
having max(posted_at) > window.end - interval '5.001' second
