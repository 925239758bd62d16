"""The compaction in `maintain_lake`: partitions of many small files as one file, a day's rankings as one partition."""

from datetime import timedelta
from typing import Any

from airflow.sdk import chain, get_current_context, task

from postrank.lake.compaction import Compaction
from postrank.ranking.lease import RANKING
from postrank.ranking.run_identity import Run
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.operators.athena import CreateTableOperator

_create = CreateTableOperator.of_file


def compact_partitions() -> Any:
    """Wire the tasks up: small files. Returns the first and the last task."""
    planned = plan_compaction()
    compacted = _create("compacted", "maintenance/compacted.sql").expand(params=planned)
    pointed = point_compacted(planned)
    chain(compacted, pointed)
    return planned, pointed


def settle_rankings() -> Any:
    """Wire the tasks up: rankings of old days, without what newer revisions have replaced."""
    planned = plan_settling()
    settled = _create("settled_ranking", "maintenance/settled_ranking.sql").expand(params=planned)
    pointed = point_settled(planned)
    chain(settled, pointed)
    return planned, pointed


@task
def plan_compaction() -> list[dict[str, Any]]:
    """Find the partitions of many small files. Plans `compacted`."""
    return _compaction(get_current_context()).plan()


@task
def point_compacted(planned: list[dict[str, Any]]) -> str:
    """Check that no row was lost, then let everybody read the larger files."""
    return f"{_compaction(get_current_context()).point(list(planned))} partitions compacted"


@task
def plan_settling() -> list[dict[str, Any]]:
    """Find the days old enough to keep their newest revisions alone. Plans `settled_ranking`."""
    context = get_current_context()
    return _compaction(context).settle(timedelta(days=context["params"]["keep_revisions_days"]))


@task
def point_settled(planned: list[dict[str, Any]]) -> str:
    """Check what was gathered, let everybody read it, forget what it came from."""
    return f"{_compaction(get_current_context()).point_settled(list(planned))} partitions gathered"


def _compaction(context: Any) -> Compaction:
    dag_run = context["dag_run"]
    return Compaction(
        run=Run(dag_run.run_id),
        as_of=dag_run.start_date,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        lease=clients.lease(RANKING),
        render=render,
    )
