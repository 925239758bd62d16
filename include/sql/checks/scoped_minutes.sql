-- check of scoped_minutes: the rows that break the grain, lie in the wrong day, or count what cannot be.
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
    or author_id is null
    or max(
        case
            when date_format(posted_minute, '%Y-%m-%d') <> posted_date then 1
            when posts < 0 or peak_at_posts < tail or tail > posts then 1
            else 0
        end
    ) = 1
order by posted_date asc, posted_minute asc, network asc, author_id asc
limit 20
