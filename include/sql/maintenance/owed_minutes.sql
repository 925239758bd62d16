-- owed_minutes: one row per posted minute of posts that were redacted before any run took them out of the ranking.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | text }}
) as
select
    '' as arrival_interval,
    'touched' as kind,
    cast(null as varchar) as network,
    cast(null as varchar) as post_id,
    cast(null as timestamp(3)) as posted_at,
    cast(null as timestamp(3)) as received_at,
    posted_date,
    cast(posted_at as timestamp(3)) as posted_minute,
    sum(copies) as lines
from post_versions
where
    kind in ('redacted_post', 'redacted_edit')
    and arrival_interval in ({{ params.arrival_hours | texts }})
    and posted_date in ({{ params.days | texts }})
group by posted_date, posted_at
