-- An author's posts and rank over the newest windows of a granularity.
select
    window_start,
    window_end,
    rank,
    posts,
    share,
    peak_60s
from rankings
where
    network = %(network)s
    and author_id = %(author_id)s
    and granularity = %(granularity)s
    and scope = %(scope)s
    and metric = %(metric)s
order by window_start desc
limit 500
