-- Lines in the catalog per arrival hour and kind, newest hour first.
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
