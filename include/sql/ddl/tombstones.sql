-- tombstones: one row per arrival hour and deleted post, or author whose posts up to deleted_at are deleted.
-- A deleted version of an edited post is there under its own id and under the post's.
create or replace view tombstones as
with deletes as (
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
)

select
    network,
    post_id,
    author_id,
    deleted_at,
    is_author,
    received_at,
    collector,
    source_cursor,
    arrival_interval
from deletes
union all
select
    deletes.network,
    post_chains.post_id,
    deletes.author_id,
    deletes.deleted_at,
    false as is_author,
    deletes.received_at,
    deletes.collector,
    deletes.source_cursor,
    deletes.arrival_interval
from deletes
inner join post_chains
    on deletes.network = post_chains.network and deletes.post_id = post_chains.version_id
