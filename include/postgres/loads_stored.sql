-- Note what was loaded.
insert into loads (object, etag, checksum, rows)
values (%(object)s, %(etag)s, %(checksum)s, %(rows)s)
on conflict (object) do update set
    etag = excluded.etag,
    checksum = excluded.checksum,
    rows = excluded.rows,
    loaded_at = now();
