-- Put one trend of a place and an hour where its rank is.
insert into place_trends (window_start, woeid, rank, place, name, posts, heard_at)
values (%(window_start)s, %(woeid)s, %(rank)s, %(place)s, %(name)s, %(posts)s, %(heard_at)s)
on conflict (window_start, woeid, rank) do update set
    place = excluded.place,
    name = excluded.name,
    posts = excluded.posts,
    heard_at = excluded.heard_at;
