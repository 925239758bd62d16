"""Look after the lake once a day.

* The stream's author windows of yesterday must equal the minutes that the lake counts.
* Deleted posts leave the Parquet files within a day, with a file of evidence; above `approved_posts` a human decides.
* Superseded revisions are forgotten after a while, and objects that no partition points at are deleted.
"""

from datetime import timedelta

from airflow.sdk import Param, dag
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import datetime

from postrank_airflow import maintenance
from postrank_airflow.assets import POSTS
from postrank_airflow.deadlines import within
from postrank_airflow.defaults import DEFAULT_ARGS
from postrank_airflow.names import SQL
from postrank_airflow.operators import CreateTableOperator
from postrank_airflow.templating import SQL_FILTERS

PARAMS = {
    "compare_days": Param(
        [],
        type="array",
        items={"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        title="Days to compare",
        description="Posted days whose minutes in the stream are held to those in the lake. Empty: yesterday.",
        examples=["2026-11-23"],
    ),
    "approved_posts": Param(
        10_000,
        type="integer",
        minimum=0,
        title="Posts that may be redacted",
        description="A run that would take out more posts than this stops and says how many there are.",
        examples=[10_000],
    ),
    "keep_revisions_days": Param(
        30,
        type="integer",
        minimum=1,
        title="Days to keep superseded revisions",
        description="Counted from the day of the window.",
        examples=[30],
    ),
}


@dag(
    schedule=CronTriggerTimetable("40 3 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=6)),
    doc_md=__doc__,
    params=PARAMS,
    tags=["postrank", "lake"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def maintain_lake() -> None:
    maintenance.compare_windows()
    planned = maintenance.plan_redaction()
    rewrite = CreateTableOperator.of_file("redacted_versions", "maintenance/redacted_versions.sql")
    redacted = maintenance.redact.override(outlets=[POSTS])(planned)
    rewrite.expand(params=planned) >> redacted >> maintenance.forget_revisions() >> maintenance.sweep()


maintain_lake()
