"""Look after the lake, twice a day. Every task may be killed at any point and repeated.

* The stream's author windows of yesterday must equal the minutes that the lake counts.
* Deleted posts leave the Parquet files, the raw objects, Firehose's error records and the rejects within a day, with
  files of evidence in the lake bucket (`evidence/redactions/`); above `approved_posts` the run waits for a human's word
  (Required Actions). Twice a day, so that a run that fails, or a copy that a failed ranking left, costs no more.
* What no partition points at is deleted, staged lines and results of queries among it, and so is what its zone keeps no
  longer (`retention_days` of resources.json).
* Partitions of many small files become one file each; the rankings of days older than `keep_revisions_days` become
  one partition a day, without superseded revisions.
* What yesterday's statements cost is written to `costs/` in the results bucket.
"""

from datetime import timedelta

from airflow.sdk import chain, dag
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import datetime

from postrank_airflow.connections.environment import SQL
from postrank_airflow.connections.sql_filters import SQL_FILTERS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.tasks import compaction, maintenance, redaction


@dag(
    schedule=CronTriggerTimetable("40 3,15 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=6)),
    doc_md=__doc__,
    params=maintenance.PARAMS,
    tags=["postrank", "lake"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def maintain_lake() -> None:
    maintenance.compare_windows()
    maintenance.report_costs()
    redaction.redact_elsewhere()
    first_compaction, _ = compaction.compact_partitions()
    first_settling, _ = compaction.settle_rankings()
    expired = maintenance.expire()
    chain(redaction.redact_deleted_posts(), maintenance.sweep(), expired, [first_compaction, first_settling])


maintain_lake()
