-- How many lines of which kind each arrival hour in the catalogue holds, the newest first.
select
    dt,
    hour,
    network,
    kind,
    count(*) as lines,
    count(distinct post_id) as posts
from raw_posts
group by dt, hour, network, kind
order by dt desc, hour desc, network asc, kind asc
