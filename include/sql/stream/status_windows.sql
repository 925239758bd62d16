-- status_windows: one row per host, status and minute of access logs.
-- key: host, status, window_start
select
    host,
    status,
    window.start as window_start,
    window.end as window_end,
    count(*) as requests,
    sum(bytes) as bytes
from logs
group by host, status, window(logged_at, '60 seconds')
