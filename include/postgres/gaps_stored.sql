-- Store what the ledger says of a gap, unless something newer is there.
insert into gaps (source, gap_from, gap_to, collector, reason, recovered_by, noted_at)
values (
    %(source)s, %(gap_from)s, %(gap_to)s, %(collector)s, %(reason)s, %(recovered_by)s, %(noted_at)s
)
on conflict (source, gap_from, gap_to) do update set
    collector = excluded.collector,
    reason = excluded.reason,
    recovered_by = excluded.recovered_by,
    noted_at = excluded.noted_at
where excluded.noted_at >= gaps.noted_at;
