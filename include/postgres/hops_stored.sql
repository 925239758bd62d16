-- Store the counts of a hop, unless newer ones are there.
insert into hops (collector, hop, received, delivered, rejected, ignored, spooled, in_flight, noted_at)
values (
    %(collector)s,
    %(hop)s,
    %(received)s,
    %(delivered)s,
    %(rejected)s,
    %(ignored)s,
    %(spooled)s,
    %(in_flight)s,
    %(noted_at)s
)
on conflict (collector, hop) do update set
    received = excluded.received,
    delivered = excluded.delivered,
    rejected = excluded.rejected,
    ignored = excluded.ignored,
    spooled = excluded.spooled,
    in_flight = excluded.in_flight,
    noted_at = excluded.noted_at
where excluded.noted_at >= hops.noted_at;
