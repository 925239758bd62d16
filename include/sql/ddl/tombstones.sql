-- tombstones: one row per arrival hour and deleted post, or author whose posts up to deleted_at are deleted.
create or replace view tombstones as
select
    network,
    post_id,
    author_id,
    coalesce(posted_at, received_at) as deleted_at,
    coalesce(post_id = concat('author:', author_id), false) as is_author,
    received_at,
    collector,
    source_cursor,
    arrival_interval
from post_versions
where posted_date = 'corrections' and kind = 'delete'
