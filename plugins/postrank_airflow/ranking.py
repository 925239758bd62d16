"""The tasks of `rank_authors` between its statements: decide, point, publish."""

from collections.abc import Iterable
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.aws.athena import Execution
from postrank.aws.glue import Partition
from postrank.results import planning, pointing
from postrank.results.arrivals import Arrivals, hours_ended_in
from postrank.results.export import Exporter
from postrank.results.request import RankingRequest
from postrank.results.run import Run
from postrank_airflow import clients
from postrank_airflow.names import RESOURCES
from postrank_airflow.templating import render

Json = dict[str, Any]
Statements = list[Json]  # the parameters of statements, one mapped task for each
AFTER_ANY = "none_failed_min_one_success"  # what had nothing to write was skipped; that is no reason to skip the rest
VIEWS = ("posts", "tombstones", "author_ranking")
UNUSABLE_SHARE = 0.01  # of an hour's lines: above it something upstream is broken, and ranking would hide it


class TooManyUnusable(pointing.CheckFailed):
    """More of what arrived is unusable than chance explains."""


@task
def plan() -> Statements:
    """Read the request; find the arrival hours to ingest; make the views that are missing. Plans `arrivals`."""
    context = get_current_context()
    request, run, hours = _request(context), _run(context), _scheduled_hours(context)
    catalogue = clients.catalogue()
    _make_views(catalogue)
    found = Arrivals(catalogue, clients.client("s3"))
    as_of = context["dag_run"].start_date
    arrived = found.due(hours, as_of) if hours else found.changed(as_of)
    if not (arrived or request.start or request.end or catalogue.partitions("touched_minutes")):
        raise AirflowSkipException(f"nothing arrived in {', '.join(hours) or 'any hour'} that is not ranked already")
    _note(context, {hour.name: hour.notes for hour in arrived})
    return planning.arrivals(run, RESOURCES, arrived)


@task(trigger_rule=AFTER_ANY)
def survey() -> Statements:
    """Count what was staged by kind; stop when too much of it is unusable. Plans `touched`."""
    context = get_current_context()
    run, hours = _run(context), list(_noted(context, "plan"))
    rows = clients.athena().rows(render("staging/survey.sql", arrivals=run.scratch("arrivals"))) if hours else []
    lines = {str(row["kind"]): int(row["lines"] or 0) for row in rows}
    if lines.get("unusable", 0) > UNUSABLE_SHARE * sum(lines.values()):
        raise TooManyUnusable("raw_posts", [lines])
    _note(context, lines)
    horizon = planning.Horizon.scheduled() if _scheduled_hours(context) else planning.Horizon.endless()
    return planning.touched(run, RESOURCES, hours, horizon, has_corrections=planning.has_corrections(lines))


@task(trigger_rule=AFTER_ANY)
def layout() -> Statements:
    """Take on the debt of what was touched, and lay out all that is to be written. Plans `post_versions`."""
    context = get_current_context()
    run, catalogue, hours = _run(context), clients.catalogue(), list(_noted(context, "plan"))
    if hours:
        location = catalogue.location(run.scratch("touched_minutes"))
        catalogue.point("touched_minutes", [Partition((run.slug,), location)])
    known = planning.Known.of(catalogue)
    rows = clients.athena().rows(render("staging/touched_days.sql", run=run.slug, debt_runs=list(known.debt_runs)))
    work = planning.Layout(
        run=run,
        resources=RESOURCES,
        request=_request(context),
        known=known,
        touched=[planning.Touched.of(row) for row in rows],
        arrival_hours=hours,
        data_hours=_scheduled_hours(context),
        has_corrections=planning.has_corrections(_noted(context, "survey")),
    )
    _note(context, {**work.statements(), "debt_runs": list(known.debt_runs)})
    return work.post_versions()


@task(trigger_rule=AFTER_ANY)
def point_versions() -> Statements:
    """Check what was written of `post_versions`, then let everybody read it. Plans `author_minutes`."""
    context = get_current_context()
    planned = _noted(context, "layout")
    tables = _checked("post_versions", planned["post_versions"])
    pointing.point_versions(clients.catalogue(), tables, _noted(context, "plan"))
    return list(planned["author_minutes"])


@task(trigger_rule=AFTER_ANY)
def point_minutes() -> Statements:
    """Check what was written of `author_minutes`, then let everybody read it. Plans `author_ranking`."""
    planned = _noted(get_current_context(), "layout")
    tables = _checked("author_minutes", planned["author_minutes"])
    pointing.point_days(clients.catalogue(), "author_minutes", tables, _days(planned["author_minutes"]))
    return list(planned["author_ranking"])


@task(trigger_rule=AFTER_ANY)
def point_ranking() -> Statements:
    """Check what was written of `author_ranking`, then let everybody read it: the debt is paid. Plans the exports."""
    context = get_current_context()
    planned, run, catalogue = _noted(context, "layout"), _run(context), clients.catalogue()
    tables = _checked("author_ranking", planned["author_ranking"])
    pointing.point_days(catalogue, "author_ranking_revisions", tables, _days(planned["author_ranking"]), run.slug)
    if _request(context).settles:
        catalogue.forget("touched_minutes", [(owed,) for owed in planned["debt_runs"]])
    return list(planned["exports"])


@task(trigger_rule=AFTER_ANY)
def publish(ranking: Iterable[str] | None, counts: Iterable[str] | None, queries: list[Any]) -> str:
    """Write the export's files, its manifest and, last, the pointer to the newest; drop the run's scratch tables."""
    context = get_current_context()
    run, request, athena = _run(context), _request(context), clients.athena()
    _drop_scratch(_noted(context, "layout"), run)
    results, counted = list(ranking or ()), list(counts or ())
    if not results:
        raise AirflowSkipException("no window was touched and no interval was asked for: there is nothing to export")
    executions = [athena.execution(query) for query in _flat([queries, results, counted])]
    exporter = Exporter(clients.client("s3"), RESOURCES.buckets["results"], run.exports)
    files = exporter.write(athena.execution(results[0]).output, request.granularities)
    behind = {name: int(value or 0) for name, value in athena.rows_of(counted[0])[0].items()}
    exporter.publish({**_heading(context), **behind, **_cost(executions)}, files)
    return f"s3://{exporter.bucket}/{exporter.prefix}manifest.json"


def _heading(context: Any) -> Json:
    run, request, window = _run(context), _request(context), _noted(context, "layout")["exports"][0]
    return {
        "run": run.slug,
        "dag_id": context["dag"].dag_id,
        "run_id": context["dag_run"].run_id,
        "exported_at": context["dag_run"].start_date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "interval": {"start": window["all_from"], "end": window["all_to"]},
        "granularities": list(request.granularities),
        "scope": request.scope,
        "networks": list(request.networks),
        "top": request.top,
        "order": request.order,
        "include_reposts": request.include_reposts,
        "arrival_hours": list(_noted(context, "plan")),
        "arrived_lines": _noted(context, "survey"),
    }


def _cost(executions: list[Execution]) -> Json:
    return {
        "queries": [{"id": one.query_id, "scanned_bytes": one.scanned_bytes} for one in executions],
        "scanned_bytes": sum(one.scanned_bytes for one in executions),
    }


def _note(context: Any, facts: Json) -> None:
    """Keep facts for later tasks, beside what is mapped over (Airflow maps over return values only)."""
    context["ti"].xcom_push(key="noted", value=facts)


def _noted(context: Any, task_id: str) -> Json:
    return context["ti"].xcom_pull(task_ids=task_id, key="noted") or {}


def _days(statements: Statements) -> list[str]:
    return [day for params in statements for day in params["days"]]


def _checked(relation: str, statements: Statements) -> list[str]:
    """The scratch tables of a relation, after its check found nothing wrong in any."""
    tables = [params["table"] for params in statements]
    check = f"checks/{relation}.sql"
    pointing.require_empty(clients.athena(), relation, (render(check, table=table) for table in tables))
    return tables


def _drop_scratch(planned: Json, run: Run) -> None:
    written = [params["table"] for relation in planning.WRITTEN for params in planned[relation]]
    for table in (*written, run.scratch("arrivals"), run.scratch("touched_minutes")):
        clients.catalogue().drop(table)


def _make_views(catalogue: Any) -> None:
    for view in VIEWS:
        if not catalogue.has_table(view):
            clients.athena().run(render(f"ddl/{view}.sql"))


def _request(context: Any) -> RankingRequest:
    return RankingRequest.of(context["params"])


def _run(context: Any) -> Run:
    return Run(context["dag_run"].run_id)


def _scheduled_hours(context: Any) -> list[str]:
    """The arrival hours of a scheduled run; none of a run by hand, which takes whatever is new."""
    dag_run = context["dag_run"]
    if dag_run.run_type not in ("scheduled", "backfill"):
        return []
    return hours_ended_in(dag_run.data_interval_start, dag_run.data_interval_end)


def _flat(found: Any) -> list[str]:
    """The query ids among what mapped tasks returned; a task that was skipped returned none."""
    if found is None:
        return []
    if isinstance(found, str):
        return [found]
    return [query for one in found for query in _flat(one)]
