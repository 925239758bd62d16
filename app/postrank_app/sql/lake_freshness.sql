-- When the warehouse was last loaded, and what the newest export and trends are.
select
    (select max(loaded_at) from loads) as loaded_at,
    (select count(*) from loads) as objects,
    (select sum(rows) from loads)::bigint as rows,
    (select max(exported_at) from ranked_windows) as exported_at,
    (select max(window_start) from hashtag_trends) as trends_at,
    (select max(emitted_at) from live_windows) as live_at
