"""The tasks of `rank_authors` between its statements: each returns the parameters that the next one is mapped over."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.ranking.arrivals import hours_ended_in
from postrank.ranking.request import RankingRequest
from postrank.ranking.run_identity import Run
from postrank.ranking.steps import Ranking, Statements
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.sql_filters import render

AFTER_ANY = "none_failed_min_one_success"  # what had nothing to write was skipped; that is no reason to skip the rest


@task
def plan() -> Statements:
    """Read the request, make the views that are missing, find what to ingest. Plans `arrivals`."""
    context = get_current_context()
    ranking = _ranking(context)
    ranking.make_views()
    notes = ranking.arrived()
    if not ranking.has_work(notes):
        hours = ", ".join(ranking.data_hours) or "any hour"
        raise AirflowSkipException(f"nothing arrived in {hours} that is not ranked already")
    _note(context, notes)
    return ranking.arrivals(notes)


@task(trigger_rule=AFTER_ANY)
def survey() -> Statements:
    """Count what was staged by kind; stop when too much of it is unusable. Plans `touched`."""
    context = get_current_context()
    ranking, notes = _ranking(context), _noted(context, "plan")
    lines = ranking.survey(notes)
    _note(context, lines)
    return ranking.touched(notes, lines)


@task(trigger_rule=AFTER_ANY)
def layout() -> Statements:
    """Take on the debt of what was touched, and lay out all that is to be written. Plans `post_versions`."""
    context = get_current_context()
    planned = _ranking(context).layout(_noted(context, "plan"), _noted(context, "survey"))
    _note(context, planned)
    return planned["post_versions"]


@task(trigger_rule=AFTER_ANY)
def point_versions() -> Statements:
    """Check `post_versions`, then let everybody read it. Plans `author_minutes`."""
    context = get_current_context()
    planned = _noted(context, "layout")
    _ranking(context).point_versions(planned, _noted(context, "plan"))
    return planned["author_minutes"]


@task(trigger_rule=AFTER_ANY)
def point_minutes() -> Statements:
    """Check `author_minutes`, then let everybody read it. Plans `author_ranking`."""
    context = get_current_context()
    planned = _noted(context, "layout")
    _ranking(context).point_minutes(planned)
    return planned["author_ranking"]


@task(trigger_rule=AFTER_ANY)
def point_ranking() -> Statements:
    """Check `author_ranking`, then let everybody read it. Plans the exports."""
    context = get_current_context()
    planned = _noted(context, "layout")
    _ranking(context).point_ranking(planned)
    return planned["exports"]


@task(trigger_rule=AFTER_ANY)
def publish(ranked: Iterable[str] | None, taken_out: Iterable[str] | None, queries: list[Any]) -> str:
    """Write the export's files, its manifest and, last, the pointer to the newest."""
    context = get_current_context()
    ranking, planned = _ranking(context), _noted(context, "layout")
    ranking.drop_scratch(planned)
    if not planned["exports"]:
        raise AirflowSkipException("no window was touched and no interval was asked for: there is nothing to export")
    (window,) = planned["exports"]
    return ranking.publish(_flat(ranked)[0], _flat(taken_out)[0], _flat(queries), window, _heading(context))


def _heading(context: Any) -> dict[str, Any]:
    """What opens the manifest beside the request: where the export comes from."""
    dag_run = context["dag_run"]
    return {
        "dag_id": dag_run.dag_id,
        "run_id": dag_run.run_id,
        "exported_at": dag_run.start_date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "arrival_hours": list(_noted(context, "plan")),
        "arrived_lines": _noted(context, "survey"),
    }


def _ranking(context: Any) -> Ranking:
    """The run that this task belongs to."""
    dag_run = context["dag_run"]
    scheduled = dag_run.run_type in ("scheduled", "backfill")
    return Ranking(
        run=Run(dag_run.run_id),
        request=RankingRequest.of(context["params"]),
        data_hours=hours_ended_in(dag_run.data_interval_start, dag_run.data_interval_end) if scheduled else [],
        as_of=dag_run.start_date,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
    )


def _note(context: Any, facts: Any) -> None:
    """Keep facts for later tasks, beside what is mapped over (Airflow maps over return values only)."""
    context["ti"].xcom_push(key="noted", value=facts)


def _noted(context: Any, task_id: str) -> dict[str, Any]:
    return context["ti"].xcom_pull(task_ids=task_id, key="noted") or {}


def _flat(found: Any) -> list[str]:
    """The query ids among what mapped tasks returned; a task that was skipped returned none."""
    if found is None:
        return []
    if isinstance(found, str):
        return [found]
    return [query for one in found[:] for query in _flat(one)]  # a slice is one call, iterating one call an item
