-- Note what a day was counted from.
insert into counted_days (posted_date, partitions, posts)
values (%(posted_date)s, %(partitions)s, %(posts)s)
on conflict (posted_date) do update set
    partitions = excluded.partitions,
    posts = excluded.posts,
    counted_at = now();
