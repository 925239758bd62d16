-- deleted_among: one row per network and post, or author (author:<id>), that is deleted, of those asked about.
select
    network,
    post_id,
    max(deleted_at) as deleted_at,
    max(case when is_author then 'true' else 'false' end) as is_author
from tombstones
where post_id in ({{ params.post_ids | texts }})
group by network, post_id
order by network asc, post_id asc
