-- Store staged windows: of the emissions of a window, the one that counts most is kept.
insert into live_windows (
    kind, window_end, network, author_id, collector, window_start, author_handle, posts, final, emitted_at
)
select distinct on (kind, window_end, network, author_id, collector)
    kind,
    window_end,
    network,
    author_id,
    collector,
    window_start,
    author_handle,
    posts,
    final,
    emitted_at
from staged_live_windows
order by kind asc, window_end asc, network asc, author_id asc, collector asc, posts desc, emitted_at desc
on conflict (kind, window_end, network, author_id, collector) do update set
    author_handle = excluded.author_handle,
    posts = excluded.posts,
    final = excluded.final,
    emitted_at = excluded.emitted_at
where (excluded.posts, excluded.emitted_at) > (live_windows.posts, live_windows.emitted_at);
