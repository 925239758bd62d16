-- Store one trend of a place and an hour.
insert into place_trends (window_start, woeid, rank, place, name, posts, heard_at)
values (%(window_start)s, %(woeid)s, %(rank)s, %(place)s, %(name)s, %(posts)s, %(heard_at)s);
