-- A page of one window's ranking.
select
    rank,
    previous_rank - rank as movement,
    network,
    author_id,
    coalesce(author_name, author_handle, author_id) as author,
    author_handle as handle,
    posts,
    share,
    peak_60s,
    count(*) over () as matches
from rankings
where
    scope = %(scope)s
    and metric = %(metric)s
    and granularity = %(granularity)s
    and window_start = %(window_start)s
    and window_end = %(window_end)s
    and (%(network)s = '' or network = %(network)s)
    and (
        %(search)s = ''
        or strpos(lower(author_handle), lower(%(search)s)) > 0
        or strpos(lower(author_name), lower(%(search)s)) > 0
        or author_id = %(search)s
    )
order by rank
limit %(page_rows)s -- noqa: LT02
offset %(first_row)s -- noqa: LT02
