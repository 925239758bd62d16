-- What each hop of each collector took and gave, as last counted.
select
    collector,
    hop,
    received,
    delivered,
    rejected,
    ignored,
    coalesce(spooled, 0) as spooled,
    coalesce(in_flight, 0) as in_flight,
    noted_at
from hops
order by collector asc, hop asc
