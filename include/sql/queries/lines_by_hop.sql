-- Counts of each hop of each collector as last reported. Received is the sum of the other counts.
select
    collector,
    hop,
    max_by(received, noted_at) as received,
    max_by(delivered, noted_at) as delivered,
    max_by(rejected, noted_at) as rejected,
    max_by(ignored, noted_at) as ignored,
    coalesce(max_by(spooled, noted_at), 0) as spooled,
    coalesce(max_by(in_flight, noted_at), 0) as in_flight
from hop_counts
group by collector, hop
order by collector asc, hop asc
