-- The days whose words are counted.
select
    posted_date::text as posted_date,
    partitions
from counted_days;
