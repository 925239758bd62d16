-- compacted: one row for each row of some partitions of a relation, in one file a partition.
create table {{ params.table | name }}
with (
    format = 'PARQUET',
    write_compression = 'ZSTD',
    external_location = {{ params.location | attempt | text }},
    partitioned_by = array[{{ params.key_names | texts }}],
    bucketed_by = array[{{ params.bucketed_by | text }}],
    bucket_count = 1
) as
select *
from {{ params.relation | name }}
where
    {{ params.first_key | name }} in ({{ params.first_values | texts }})
    and {{ params.last_key | name }} in ({{ params.last_values | texts }})
    and concat({{ params.first_key | name }}, '/', {{ params.last_key | name }}) in ({{ params.pairs | texts }})
