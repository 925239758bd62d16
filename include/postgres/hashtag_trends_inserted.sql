-- Store one hashtag of an hour.
insert into hashtag_trends (window_start, rank, hashtag, posts, authors, week_posts, usual_posts, burst)
values (
    %(window_start)s, %(rank)s, %(hashtag)s, %(posts)s, %(authors)s, %(week_posts)s, %(usual_posts)s, %(burst)s
);
