"""The tasks of `rank_authors` between its statements: each returns the parameters that the next one is mapped over."""

import logging
from collections.abc import Iterable
from typing import Any

from airflow.sdk import PokeReturnValue, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.documents import Document
from postrank.ranking.arrivals import hours_ended_in
from postrank.ranking.lease import RANKING
from postrank.ranking.request import RankingRequest
from postrank.ranking.steps import Ranking, Statements
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.defaults import LEASE_PATIENCE_SECONDS, LEASE_POLL_SECONDS
from postrank_airflow.dag.run_note import reason_in_note
from postrank_airflow.operators.links import wrote

log = logging.getLogger(__name__)

AFTER_ANY = "none_failed_min_one_success"  # what had nothing to write was skipped; that is no reason to skip the rest


@task.sensor(mode="reschedule", poke_interval=LEASE_POLL_SECONDS, timeout=LEASE_PATIENCE_SECONDS)
@reason_in_note
def plan_arrivals() -> PokeReturnValue:
    """Wait for the ranking lease without a worker's slot; make missing views; find what to ingest. Plans `arrivals`."""
    context = run_context()
    ranking = _ranking(context)
    if not ranking.begin():
        log.info("the ranking lease is held by run %s", ranking.lease.holder)
        return PokeReturnValue(is_done=False)
    ranking.make_views()
    notes = ranking.arrived()
    if not ranking.has_work(notes):
        ranking.end()
        hours = ", ".join(ranking.data_hours) or "any hour"
        raise AirflowSkipException(f"nothing arrived in {hours} that has not been ranked already")
    _note(context, notes)
    return PokeReturnValue(is_done=True, xcom_value=ranking.arrivals(notes))


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def survey_arrivals() -> Statements:
    """Count what was staged by kind; stop when too much of it is unusable. Plans `touched_minutes`."""
    context = run_context()
    ranking = _ranking(context)
    notes = _noted(context, "plan_arrivals")
    lines = ranking.survey(notes)
    _note(context, lines)
    return ranking.touched(notes)


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def plan_partitions() -> Statements:
    """Take on the debt of what was touched, and lay out all that is to be written. Plans `post_versions`."""
    context = run_context()
    planned = _ranking(context).layout(_noted(context, "plan_arrivals"), _noted(context, "survey_arrivals"))
    _note(context, planned)
    statements: Statements = planned["post_versions"]
    return statements


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def point_versions() -> Statements:
    """Check `post_versions`, then let everybody read it. Plans `author_minutes`."""
    context = run_context()
    planned = _noted(context, "plan_partitions")
    _ranking(context).point_versions(planned, _noted(context, "plan_arrivals"))
    statements: Statements = planned["author_minutes"]
    return statements


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def point_minutes() -> Statements:
    """Check `author_minutes`, then let everybody read it. Plans `author_ranking`."""
    context = run_context()
    planned = _noted(context, "plan_partitions")
    _ranking(context).point_minutes(planned)
    statements: Statements = planned["author_ranking"]
    return statements


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def point_ranking() -> Statements:
    """Check `author_ranking`, then let everybody read it. Plans the exports."""
    context = run_context()
    planned = _noted(context, "plan_partitions")
    _ranking(context).point_ranking(planned)
    statements: Statements = planned["exports"]
    return statements


@task(trigger_rule=AFTER_ANY)
@reason_in_note
def publish_ranking(ranked: Iterable[str] | None, taken_out: Iterable[str] | None, queries: list[Any]) -> str:
    """Write the export's files, its manifest and, last, the pointer to the newest."""
    context = run_context()
    ranking = _ranking(context)
    planned = _noted(context, "plan_partitions")
    ranking.end()
    ranking.drop_scratch(planned)
    if not planned["exports"]:
        raise AirflowSkipException("no window was touched and no interval was requested: there is nothing to export")
    manifest = ranking.publish(_flat(ranked)[0], _flat(taken_out)[0], _flat(queries), planned, _heading(context))
    wrote(manifest.removesuffix("manifest.json"))
    return manifest


def _heading(context: RunContext) -> Document:
    """What opens the manifest beside the request: where the export comes from."""
    return {
        "dag_id": context.dag_run.dag_id,
        "run_id": context.dag_run.run_id,
        "arrival_hours": list(_noted(context, "plan_arrivals")),
        "arrived_lines": _noted(context, "survey_arrivals"),
    }


def _ranking(context: RunContext) -> Ranking:
    """The run that this task belongs to."""
    return Ranking(
        run=context.run,
        request=RankingRequest.of(context.params),
        data_hours=hours_ended_in(*context.data_interval) if context.data_interval else [],
        as_of=context.start_date,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        lease=clients.lease(RANKING),
        publishes=context.dag_run.run_type == "scheduled" or context.params["publish"],
        render=render,
    )


def _note(context: RunContext, facts: Any) -> None:
    """Keep facts for later tasks, beside what is mapped over (Airflow maps over return values only)."""
    context.ti.xcom_push(key="noted", value=facts)


def _noted(context: RunContext, task_id: str) -> Document:
    noted: Document = context.ti.xcom_pull(task_ids=task_id, key="noted") or {}
    return noted


def _flat(queries: Any) -> list[str]:
    """The query ids among what mapped tasks returned; a task that was skipped returned none."""
    if queries is None:
        return []
    if isinstance(queries, str):
        return [queries]
    return [query for item in queries[:] for query in _flat(item)]  # a slice is one call, iterating one call an item
