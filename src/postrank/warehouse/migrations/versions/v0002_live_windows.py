"""Live windows by collector, the board that is read from them, and accounts of ranking runs."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Nothing has filled live_windows before.
_TABLES = """
drop table live_windows;

create table live_windows (
    kind text not null,
    window_end timestamptz not null,
    network text not null,
    author_id text not null,
    collector text not null,
    window_start timestamptz not null,
    author_handle text,
    posts bigint not null,
    final boolean not null,
    emitted_at timestamptz not null,
    primary key (kind, window_end, network, author_id, collector)
);
comment on table live_windows is 'Author windows of the stream: the newest emission of each, for the last hours.';

create view live_board as
with

latest_step as (
    select
        network,
        max(window_end) as window_end
    from live_windows
    where kind = 'sliding'
    group by network
),

newest_windows as (
    select distinct on (w.network, w.author_id, w.collector)
        w.network,
        w.author_id,
        w.collector,
        w.author_handle,
        w.posts,
        w.window_end,
        w.emitted_at
    from live_windows as w
    inner join latest_step as l on w.network = l.network
    where w.kind = 'sliding' and w.window_end > l.window_end - interval '60 seconds'
    order by w.network, w.author_id, w.collector, w.window_end desc
)

select
    network,
    author_id,
    max(author_handle) as author_handle,
    max(posts) as posts,
    max(window_end) as window_end,
    max(emitted_at) as emitted_at
from newest_windows
group by network, author_id;
comment on view live_board is
'Authors of the newest 60 s of each network: posts in the 60 s up to the newest; the collector that saw most counts.';

create table ranking_runs (
    run text primary key,
    scope text not null,
    metric text not null,
    interval_start timestamptz not null,
    interval_end timestamptz not null,
    exported_at timestamptz not null,
    lines bigint,
    duplicates bigint,
    tombstones bigint,
    rejects bigint,
    posts bigint,
    scanned_bytes bigint
);
comment on table ranking_runs is 'One row per exported run: what its manifest accounts for.';
"""
_RIGHTS = """
grant select on live_windows, live_board, ranking_runs to postrank_reader;
do $$
begin
    execute format('grant postrank_reader to %I', current_user);
end
$$
"""


def upgrade() -> None:
    op.execute(_TABLES)
    for name in ("live_windows", "ranking_runs"):
        op.execute(f"alter table {name} owner to postrank_owner")
    op.execute("alter view live_board owner to postrank_owner")
    op.execute(_RIGHTS)


def downgrade() -> None:
    raise NotImplementedError("the warehouse is rebuilt from the results bucket: drop its tables, then migrate")
