-- check of compacted: the partitions that hold another number of rows than those that they are to replace.
with originals as (
    select
        concat({{ params.first_key | name }}, '/', {{ params.last_key | name }}) as partition_values,
        count(*) as found
    from {{ params.relation | name }}
    where
        {{ params.first_key | name }} in ({{ params.first_values | texts }})
        and {{ params.last_key | name }} in ({{ params.last_values | texts }})
        and concat({{ params.first_key | name }}, '/', {{ params.last_key | name }}) in ({{ params.pairs | texts }})
    group by 1
),

copies as (
    select
        concat({{ params.first_key | name }}, '/', {{ params.last_key | name }}) as partition_values,
        count(*) as found
    from {{ params.table | name }}
    where concat({{ params.first_key | name }}, '/', {{ params.last_key | name }}) in ({{ params.pairs | texts }})
    group by 1
)

select
    coalesce(originals.partition_values, copies.partition_values) as partition_values,
    originals.found as rows_before,
    copies.found as rows_after
from originals
full outer join copies on originals.partition_values = copies.partition_values
where coalesce(originals.found, -1) <> coalesce(copies.found, -1)
order by 1 asc
limit 20
