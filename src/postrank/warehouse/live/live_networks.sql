-- The networks of the stream, each with its newest window.
select
    network,
    max(window_end) as window_end,
    max(emitted_at) as emitted_at
from live_windows
group by network
order by network
