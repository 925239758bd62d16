-- Store the text length of an author.
insert into author_lengths (
    scope, interval_start, interval_end, network, author_id, posts, mean_length, exported_at
)
values (
    %(scope)s, %(interval_start)s, %(interval_end)s, %(network)s, %(author_id)s, %(posts)s, %(mean_length)s,
    %(exported_at)s
);
