"""The tasks of `trending_topics` between its statements, and the parameters of its form."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.results.request import TIME_PATTERN, TOP_LIMIT
from postrank.results.run import Run
from postrank.results.trends import Trends, hour_of, last_ended
from postrank_airflow import clients
from postrank_airflow.names import RESOURCES
from postrank_airflow.templating import render

PARAMS = {
    "hour": Param(
        None,
        type=["null", "string"],
        format="date-time",
        pattern=TIME_PATTERN,
        title="Hour",
        description="Start of the hour of event time to rank, UTC. Empty: the last one that ended.",
        examples=["2026-11-24T05:00:00Z"],
    ),
    "top": Param(
        100,
        type="integer",
        minimum=1,
        maximum=TOP_LIMIT,
        title="Hashtags",
        description="How many hashtags are kept.",
        examples=[100],
    ),
}


@task
def plan() -> list[dict[str, Any]]:
    """Decide on the hour. Plans `hashtag_ranking`."""
    context = get_current_context()
    planned = _trends(context).plan(context["params"]["top"])
    if not planned:
        raise AirflowSkipException("no post was ranked yet: there is no view of posts to read")
    return planned


@task
def point() -> list[dict[str, Any]]:
    """Check `hashtag_ranking`, then let everybody read it. Plans the export."""
    return _trends(get_current_context()).point()


@task
def publish(queries: Sequence[str]) -> str:
    """Write the hour's hashtags to the results bucket."""
    context = get_current_context()
    dag_run = context["dag_run"]
    (query,) = queries[:]
    return _trends(context).publish(query, {"dag_id": dag_run.dag_id, "run_id": dag_run.run_id})


def _trends(context: Any) -> Trends:
    """The run that this task belongs to."""
    dag_run, asked = context["dag_run"], context["params"]["hour"]
    return Trends(
        run=Run(dag_run.run_id),
        hour=hour_of(asked) if asked else last_ended(dag_run.data_interval_end or dag_run.start_date),
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
    )
