-- Who wrote most in the newest 60 s, of all networks or of one.
select
    network,
    author_id,
    posts,
    window_end,
    emitted_at,
    rank() over (order by posts desc) as rank,
    coalesce(author_handle, author_id) as author
from live_board
where %(network)s = '' or network = %(network)s
order by posts desc, network asc, author_id asc
limit %(top)s
