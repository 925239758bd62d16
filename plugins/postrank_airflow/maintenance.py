"""The tasks of `maintain_lake`."""

from datetime import timedelta
from typing import Any

from airflow.sdk import get_current_context, task

from postrank.results.maintenance import Maintenance
from postrank.results.run import Run
from postrank_airflow import clients
from postrank_airflow.names import RESOURCES
from postrank_airflow.templating import render


@task
def compare_windows() -> str:
    """The stream's minutes of the compared days equal the lake's."""
    context = get_current_context()
    days = context["params"]["compare_days"] or [_yesterday(context)]
    _maintenance(context).compare_windows(days)
    return f"the stream's minutes of {', '.join(days)} are the lake's"


@task
def plan_redaction() -> list[dict[str, Any]]:
    """Find the partitions that still hold deleted posts."""
    context = get_current_context()
    return _maintenance(context).redactions(context["params"]["approved_posts"])


@task(trigger_rule="none_failed_min_one_success")
def redact(planned: list[dict[str, Any]]) -> str:
    """Point at the partitions without deleted posts, empty those with them, leave the evidence."""
    return _maintenance(get_current_context()).redact(list(planned)) or "no deleted post was left to take out"


@task
def forget_revisions() -> str:
    """Forget what newer revisions have replaced, of windows that are old enough."""
    context = get_current_context()
    keep = timedelta(days=context["params"]["keep_revisions_days"])
    return f"{_maintenance(context).forget_revisions(keep)} superseded partitions forgotten"


@task
def sweep() -> str:
    """Delete what no partition points at any more."""
    return f"{_maintenance(get_current_context()).sweep()} objects deleted"


def _maintenance(context: Any) -> Maintenance:
    dag_run = context["dag_run"]
    return Maintenance(
        run=Run(dag_run.run_id),
        as_of=dag_run.start_date,
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
    )


def _yesterday(context: Any) -> str:
    return (context["dag_run"].start_date - timedelta(days=1)).date().isoformat()
