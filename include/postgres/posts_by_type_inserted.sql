-- Store one type of posts of a day.
insert into posts_by_type (
    scope, interval_start, interval_end, posted_date, type, posts, authors, mean_length, exported_at
)
values (
    %(scope)s, %(interval_start)s, %(interval_end)s, %(posted_date)s, %(type)s, %(posts)s, %(authors)s,
    %(mean_length)s, %(exported_at)s
);
