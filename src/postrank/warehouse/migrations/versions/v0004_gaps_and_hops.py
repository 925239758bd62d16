"""Gaps of the sources, and what each hop of each collector took and gave."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = """
create table gaps (
    source text not null,
    gap_from timestamptz not null,
    gap_to timestamptz not null,
    collector text,
    reason text,
    recovered_by text,
    noted_at timestamptz not null,
    primary key (source, gap_from, gap_to)
);
comment on table gaps is 'One row per span that a source may have missed, as the ledger last said of it.';
create index gaps_by_time on gaps (gap_from);

create table hops (
    collector text not null,
    hop text not null,
    received bigint not null,
    delivered bigint not null,
    rejected bigint not null,
    ignored bigint not null,
    spooled bigint,
    in_flight bigint,
    noted_at timestamptz not null,
    primary key (collector, hop)
);
comment on table hops is 'One row per collector and hop: the last counts that an export had.';
"""


def upgrade() -> None:
    op.execute(_TABLES)
    for name in ("gaps", "hops"):
        op.execute(f"alter table {name} owner to postrank_owner")
        op.execute(f"grant select on {name} to postrank_reader")


def downgrade() -> None:
    raise NotImplementedError("the warehouse is rebuilt from the results bucket: drop its tables, then migrate")
