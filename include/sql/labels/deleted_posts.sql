-- deleted_posts: one row per post, or author (author:<id>), whose deletion arrived since an hour.
select
    network,
    post_id,
    max(case when is_author then author_id end) as author_id,
    max(deleted_at) as deleted_at
from tombstones
where arrival_interval >= {{ params.first_hour | text }}
group by network, post_id
order by network asc, post_id asc
