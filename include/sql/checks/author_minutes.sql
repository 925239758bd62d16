-- check of author_minutes: the rows that break the grain, lie in the wrong day, or count what cannot be.
select
    network,
    author_id,
    posted_minute,
    posted_date,
    count(*) as found
from {{ params.table | name }}
group by network, author_id, posted_minute, posted_date
having
    count(*) > 1
    or max(
        case
            when date_format(posted_minute, '%Y-%m-%d') <> posted_date then 1
            when posts < 1 or peak_at_posts < 1 or tail > posts or original_posts > posts then 1
            when peak_at_posts < original_peak_at_posts then 1
            else 0
        end
    ) = 1
order by posted_date asc, posted_minute asc, network asc, author_id asc
limit 20
