-- Put one hashtag of an hour where its rank is.
insert into hashtag_trends (window_start, rank, hashtag, posts, authors, week_posts, usual_posts, burst)
values (
    %(window_start)s, %(rank)s, %(hashtag)s, %(posts)s, %(authors)s, %(week_posts)s, %(usual_posts)s, %(burst)s
)
on conflict (window_start, rank) do update set
    hashtag = excluded.hashtag,
    posts = excluded.posts,
    authors = excluded.authors,
    week_posts = excluded.week_posts,
    usual_posts = excluded.usual_posts,
    burst = excluded.burst;
