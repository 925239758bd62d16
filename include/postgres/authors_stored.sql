-- Store the authors of the staged windows, as the newest window has them.
insert into authors (network, author_id, handle, name, ranked_at)
select distinct on (r.network, r.author_id)
    r.network,
    r.author_id,
    r.author_handle as handle,
    r.author_name as name,
    r.window_start as ranked_at
from staged_rankings as r
inner join staged_windows as s
    on
        r.granularity = s.granularity
        and r.window_start = s.window_start
        and r.window_end = s.window_end
order by r.network asc, r.author_id asc, r.window_start desc, r.granularity asc
on conflict (network, author_id) do update set
    handle = coalesce(excluded.handle, authors.handle),
    name = coalesce(excluded.name, authors.name),
    ranked_at = excluded.ranked_at
where excluded.ranked_at >= authors.ranked_at;
