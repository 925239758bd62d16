-- author_windows: one row per network, author and minute with posts, as the streamer's tumbling windows.
-- key: network, author_id, kind, window_start
select
    network,
    author_id,
    max_by(author_handle, posted_at) as author_handle,
    window.start as window_start,
    window.end as window_end,
    'tumbling' as kind,
    count(*) as posts
from posts
group by network, author_id, window(posted_at, '60 seconds')
