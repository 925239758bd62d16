"""What was labelled and counted of the lake, and the words of each posted day."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = """
create table words (
    posted_date date not null,
    language text not null,
    word text not null,
    posts bigint not null,
    primary key (posted_date, language, word)
);
comment on table words is 'One row per posted day, language and word: the posts that hold the word.';
create index words_by_posts on words (language, posted_date, posts desc);

create table counted_days (
    posted_date date primary key,
    partitions text[] not null,
    posts bigint not null,
    counted_at timestamptz not null default now()
);
comment on table counted_days is 'One row per posted day in words: the partitions of the lake that were counted.';

create table labelled_arrivals (
    model text not null,
    arrival_interval text not null,
    model_version text not null,
    content text not null,
    last_network text not null,
    last_post_id text not null,
    is_complete boolean not null,
    labelled_at timestamptz not null default now(),
    primary key (model, arrival_interval)
);
comment on table labelled_arrivals is 'One row per model and arrival hour: how far its posts are labelled.';

create index labels_by_author on labels (network, author_id, posted_at);
create index labels_by_hashtag on labels using gin (hashtags);
"""
_NAMES = ("words", "counted_days", "labelled_arrivals")


def upgrade() -> None:
    op.execute(_TABLES)
    for name in _NAMES:
        op.execute(f"alter table {name} owner to postrank_owner")
        op.execute(f"grant select on {name} to postrank_reader")


def downgrade() -> None:
    raise NotImplementedError("labels and words are made again from the lake: drop their tables, then migrate")
