"""The compaction in `maintain_lake`: partitions of many small files as one file, a day's rankings as one partition."""

from datetime import timedelta

from airflow.sdk import TaskGroup, task

from postrank.documents import Document
from postrank.lake.compaction import Compaction
from postrank.ranking.lease import RANKING
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import note_count, reason_in_note
from postrank_airflow.dag.wiring import group, value_of
from postrank_airflow.operators.athena import CreateTableOperator

_create = CreateTableOperator.of_file


def compact_partitions() -> TaskGroup:
    """Wire the tasks up: small files. Returns their group."""
    with group("compact", "Rewrite many small files of a partition as one") as tasks:
        planned = plan_compaction()
        compacted = _create("compacted", "maintenance/compacted.sql")
        compacted.expand(params=planned) >> point_compacted(value_of(planned))
    return tasks


def settle_rankings() -> TaskGroup:
    """Wire the tasks up: rankings of old days, without what newer revisions have replaced. Returns their group."""
    with group("gather_rankings", "Rewrite old days' rankings as one partition a day, newest revisions only") as tasks:
        planned = plan_settling()
        settled = _create("settled_ranking", "maintenance/settled_ranking.sql")
        settled.expand(params=planned) >> point_settled(value_of(planned))
    return tasks


@task
@reason_in_note
def plan_compaction() -> list[Document]:
    """Find the partitions of many small files. Plans `compacted`."""
    return _compaction(run_context()).plan()


@task
@reason_in_note
def point_compacted(planned: list[Document]) -> str:
    """Check that no row was lost, then let everybody read the larger files."""
    return note_count(_compaction(run_context()).point(list(planned)), "partition", "compacted")


@task
@reason_in_note
def plan_settling() -> list[Document]:
    """Find the days old enough to keep their newest revisions alone. Plans `settled_ranking`."""
    context = run_context()
    return _compaction(context).settle(timedelta(days=context.params["keep_revisions_days"]))


@task
@reason_in_note
def point_settled(planned: list[Document]) -> str:
    """Check what was gathered, let everybody read it, forget what it came from."""
    settled = _compaction(run_context()).point_settled(list(planned))
    return note_count(settled, "partition", "of old rankings gathered")


def _compaction(context: RunContext) -> Compaction:
    return Compaction(
        run=context.run,
        as_of=context.start_date,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        lease=clients.lease(RANKING),
        render=render,
    )
