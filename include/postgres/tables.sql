-- The trends as the results bucket has them: one row per hour and rank, of hashtags and of places.
create table if not exists hashtag_trends (
    window_start timestamptz not null,
    rank integer not null,
    hashtag text not null,
    posts bigint not null,
    authors bigint not null,
    week_posts bigint not null,
    usual_posts double precision not null,
    burst double precision not null,
    primary key (window_start, rank)
);

create table if not exists place_trends (
    window_start timestamptz not null,
    woeid bigint not null,
    rank integer not null,
    place text not null,
    name text not null,
    posts bigint,
    heard_at timestamptz not null,
    primary key (window_start, woeid, rank)
);
