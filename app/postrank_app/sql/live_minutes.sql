-- Posts per minute of the last three hours, as the stream counted them. Of several collectors, the highest count of an
-- author and minute counts.
with author_minutes as (
    select
        window_start,
        network,
        author_id,
        max(posts) as posts
    from live_windows
    where kind = 'tumbling' and (%(network)s = '' or network = %(network)s)
    group by window_start, network, author_id
)

select
    window_start as minute,
    sum(posts)::bigint as posts
from author_minutes
group by window_start
order by window_start
