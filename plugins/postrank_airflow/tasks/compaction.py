"""The compaction in `maintain_lake`: partitions of many small files as one file, a day's rankings as one partition."""

from datetime import timedelta
from typing import Any

from airflow.sdk import chain, task

from postrank.documents import Document
from postrank.lake.compaction import Compaction
from postrank.ranking.lease import RANKING
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.wiring import value_of
from postrank_airflow.operators.athena import CreateTableOperator

_create = CreateTableOperator.of_file


def compact_partitions() -> Any:
    """Wire the tasks up: small files. Returns the first and the last task."""
    planned = plan_compaction()
    compacted = _create("compacted", "maintenance/compacted.sql").expand(params=planned)
    pointed = point_compacted(value_of(planned))
    chain(compacted, pointed)
    return planned, pointed


def settle_rankings() -> Any:
    """Wire the tasks up: rankings of old days, without what newer revisions have replaced."""
    planned = plan_settling()
    settled = _create("settled_ranking", "maintenance/settled_ranking.sql").expand(params=planned)
    pointed = point_settled(value_of(planned))
    chain(settled, pointed)
    return planned, pointed


@task
def plan_compaction() -> list[Document]:
    """Find the partitions of many small files. Plans `compacted`."""
    return _compaction(run_context()).plan()


@task
def point_compacted(planned: list[Document]) -> str:
    """Check that no row was lost, then let everybody read the larger files."""
    return f"{_compaction(run_context()).point(list(planned))} partitions compacted"


@task
def plan_settling() -> list[Document]:
    """Find the days old enough to keep their newest revisions alone. Plans `settled_ranking`."""
    context = run_context()
    return _compaction(context).settle(timedelta(days=context.params["keep_revisions_days"]))


@task
def point_settled(planned: list[Document]) -> str:
    """Check what was gathered, let everybody read it, forget what it came from."""
    return f"{_compaction(run_context()).point_settled(list(planned))} partitions gathered"


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
