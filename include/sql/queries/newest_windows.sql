-- Who wrote most in the newest stored 60 seconds of each network, up to 100 authors each.
with newest_date as (
    select max(dt) as dt
    from raw_author_windows
),

windows as (
    select
        network,
        author_id,
        author_handle,
        window_start,
        window_end,
        posts,
        max(window_end) over (partition by network) as newest_end
    from stored_windows
    where kind = 'sliding' and dt in (select newest_date.dt from newest_date)
),

newest_of_author as (
    select
        network,
        author_id,
        author_handle,
        window_start,
        window_end,
        posts,
        row_number() over (partition by network, author_id order by window_end desc, window_start desc) as age_rank
    from windows
    where window_end > newest_end - interval '60' second
),

ranked as (
    select
        network,
        author_id,
        author_handle,
        window_start,
        window_end,
        posts,
        row_number() over (partition by network order by posts desc, author_id asc) as rank
    from newest_of_author
    where age_rank = 1
)

select
    network,
    rank,
    author_id,
    author_handle,
    posts,
    window_start,
    window_end
from ranked
where rank <= 100
order by network asc, rank asc
