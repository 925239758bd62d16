-- check of post_versions: the rows that break the grain, lack a key, or lie in the wrong day.
select
    network,
    post_id,
    posted_date,
    kind,
    count(*) as found
from {{ params.table | name }}
group by
    arrival_interval,
    network,
    post_id,
    posted_date,
    kind,
    date_format(posted_at, '%Y-%m-%d'),
    case when kind = 'metrics' then posted_at end
having
    count(*) > 1
    or network is null
    or post_id is null
    or max(
        case
            when
                kind in ('post', 'edit') and posted_date <> 'corrections'
                and (posted_at is null or author_id is null or date_format(posted_at, '%Y-%m-%d') <> posted_date) then 1
            else 0
        end
    ) = 1
order by posted_date asc, network asc, post_id asc, kind asc
limit 20
