-- tombstones: one row per arrival hour and post that was deleted.
create or replace view tombstones as
select
    network,
    post_id,
    received_at,
    collector,
    source_cursor,
    arrival_interval
from post_versions
where posted_date = 'corrections' and kind = 'delete'
