"""The tasks of `maintain_lake`, and its params."""

from datetime import datetime, timedelta

from airflow.sdk import Param, task
from airflow.sdk.exceptions import AirflowSkipException

from postrank.delivery.window_check import Comparison
from postrank.lake.costs import COSTS, Costs, Price
from postrank.lake.retention import Maintenance
from postrank.ranking.arrivals import HOUR
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import RESOURCES
from postrank_airflow.connections.run_context import RunContext, run_context
from postrank_airflow.connections.sql_filters import render
from postrank_airflow.dag.run_note import add_to_note, counted, note_count, reason_in_note, result_in_note
from postrank_airflow.operators.links import wrote

DATE = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
PARAMS = {
    "compare_days": Param(
        [],
        type="array",
        items=DATE,
        title="Days to compare",
        description="Posted days for which the stream's minutes are compared with the lake's. Empty: yesterday.",
        examples=["2026-11-23"],
    ),
    "approved_posts": Param(
        10_000,
        type="integer",
        minimum=0,
        title="Posts to redact without approval",
        description="A run that would redact more posts than this waits for approval.",
        examples=[10_000],
    ),
    "keep_revisions_days": Param(
        RESOURCES.retention_days["superseded_revisions"],
        type="integer",
        minimum=1,
        title="Days to keep superseded revisions",
        description="Counted from the day of the window.",
        examples=[30],
    ),
}
WHATEVER_CAME_BEFORE = "none_failed"  # a day without deleted posts, or a human's no, is no reason to skip the rest


@task
@result_in_note
def compare_windows() -> str:
    """Check that the stream's minutes of the compared days equal the lake's."""
    context = run_context()
    now = context.start_date
    days = context.params["compare_days"] or [(now - timedelta(days=1)).date().isoformat()]
    comparison = Comparison(
        resources=RESOURCES,
        athena=clients.athena(),
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
        render=render,
    )
    for day in days:
        start = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        comparison.hold(start, start + timedelta(days=1), settled=now - 3 * HOUR)
    return f"the stream's minutes of {', '.join(days)} equal the lake's"


@task(trigger_rule=WHATEVER_CAME_BEFORE)
@reason_in_note
def delete_leftovers() -> str:
    """Delete files that no partition points at."""
    return note_count(_maintenance(run_context()).sweep(), "object", "without a partition deleted")


@task(trigger_rule=WHATEVER_CAME_BEFORE)
@reason_in_note
def expire_objects() -> dict[str, int]:
    """Delete what exceeds its retention: query results, exports, catalog partitions of expired raw objects."""
    expired = _maintenance(run_context()).expire()
    if any(expired.values()):
        objects = counted(expired["exports"], "object")
        add_to_note(f"{objects} of exports and {counted(expired['raw'], 'raw partition')} expired")
    return expired


@task
@result_in_note
def report_costs() -> str:
    """Write the cost of the previous day's statements by DAG, run and relation."""
    day = (run_context().start_date - timedelta(days=1)).date()
    costs = Costs(clients.client("athena"), RESOURCES.workgroup, Price.of_list())
    report = costs.store(day, clients.client("s3"), RESOURCES.buckets["results"])
    if not report["statements"]:
        raise AirflowSkipException(f"no statement ran on {day}")
    wrote(f"s3://{RESOURCES.buckets['results']}/{COSTS}dt={day}.json")
    return f"{report['cost']} {report['currency']} for {report['statements']} statements on {day}"


def _maintenance(context: RunContext) -> Maintenance:
    return Maintenance(
        as_of=context.start_date,
        resources=RESOURCES,
        catalogue=clients.catalogue(),
        s3=clients.client("s3"),
    )
