"""The first tables, their owner and their reader."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROLES = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'postrank_owner') then
        create role postrank_owner login;
    end if;
    if not exists (select from pg_roles where rolname = 'postrank_reader') then
        create role postrank_reader login;
    end if;
    if exists (select from pg_roles where rolname = 'rds_iam') then
        grant rds_iam to postrank_owner, postrank_reader;
    end if;
    execute format('grant postrank_owner to %I', current_user);
    execute format('grant create on schema public to postrank_owner');
end
$$
"""
# `create table if not exists`: trending_topics made the two tables of trends in warehouses older than the migrations.
_TABLES = """
create table loads (
    object text primary key,
    etag text not null,
    checksum text not null,
    rows bigint not null,
    loaded_at timestamptz not null default now()
);
comment on table loads is 'One row per object of the results bucket that was loaded: its newest content.';

create table ranked_windows (
    scope text not null,
    metric text not null,
    granularity text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    posts bigint not null,
    revision bigint not null,
    exported_at timestamptz not null,
    object text not null,
    primary key (scope, metric, granularity, window_start, window_end)
);
comment on table ranked_windows is 'One row per ranked window: the revision that rankings holds of it.';

create table rankings (
    scope text not null,
    metric text not null,
    granularity text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    rank bigint not null,
    network text not null,
    author_id text not null,
    author_handle text,
    author_name text,
    posts bigint not null,
    share double precision,
    previous_rank bigint,
    peak_60s bigint,
    revision bigint not null,
    primary key (scope, metric, granularity, window_start, window_end, rank)
);
comment on table rankings is 'One row per window and rank: the newest revision of each window.';
create index rankings_by_author on rankings (network, author_id, granularity, window_start);

create table authors (
    network text not null,
    author_id text not null,
    handle text,
    name text,
    ranked_at timestamptz not null,
    primary key (network, author_id)
);
comment on table authors is 'One row per author in rankings, as the newest window has it.';
create index authors_by_handle on authors (lower(handle) text_pattern_ops);

create table hourly_totals (
    scope text not null,
    window_start timestamptz not null,
    posts bigint not null,
    revision bigint not null,
    primary key (scope, window_start)
);
comment on table hourly_totals is 'One row per hour: the posts of all authors.';

create table posts_by_type (
    scope text not null,
    interval_start timestamptz not null,
    interval_end timestamptz not null,
    posted_date date not null,
    type text not null,
    posts bigint not null,
    authors bigint not null,
    mean_length double precision,
    exported_at timestamptz not null,
    primary key (scope, interval_start, interval_end, posted_date, type)
);
comment on table posts_by_type is 'One row per ranked interval, posted day and type of post.';

create table author_lengths (
    scope text not null,
    interval_start timestamptz not null,
    interval_end timestamptz not null,
    network text not null,
    author_id text not null,
    posts bigint not null,
    mean_length double precision,
    exported_at timestamptz not null,
    primary key (scope, interval_start, interval_end, network, author_id)
);
comment on table author_lengths is 'One row per ranked interval and author: how long texts are on average.';

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

create table live_windows (
    network text not null,
    author_id text not null,
    author_handle text,
    kind text not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    posts bigint not null,
    final boolean not null,
    emitted_at timestamptz not null,
    primary key (kind, window_start, network, author_id)
);
comment on table live_windows is 'Author windows of the stream, as the contract describes them.';

create table labels (
    network text not null,
    post_id text not null,
    model text not null,
    model_version text not null,
    label text not null,
    score double precision not null,
    language text,
    posted_at timestamptz not null,
    author_id text not null,
    hashtags text[] not null default '{}',
    labelled_at timestamptz not null default now(),
    primary key (network, post_id, model)
);
comment on table labels is 'One row per post and model.';
create index labels_by_time on labels (posted_at);
"""
_NAMES = (
    "loads", "ranked_windows", "rankings", "authors", "hourly_totals", "posts_by_type", "author_lengths",
    "hashtag_trends", "place_trends", "live_windows", "labels",
)  # fmt: skip
_RIGHTS = """
grant usage on schema public to postrank_reader, postrank_owner;
grant select on all tables in schema public to postrank_reader;
alter default privileges for role postrank_owner in schema public grant select on tables to postrank_reader;
"""


def upgrade() -> None:
    op.execute(_ROLES)
    op.execute(_TABLES)
    for name in _NAMES:
        op.execute(f"alter table {name} owner to postrank_owner")
    op.execute(_RIGHTS)


def downgrade() -> None:
    raise NotImplementedError("the warehouse is rebuilt from the results bucket: drop its tables, then migrate")
