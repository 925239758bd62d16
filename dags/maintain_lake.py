"""Maintain the lake, twice a day. Every task may be killed at any point and repeated.

* **Compare**: the stream's author windows of yesterday must equal the lake's minutes.
* **Redact**: deleted posts leave the Parquet files, the raw objects, Firehose's error records and the rejects within a
  day, with evidence in the lake bucket (`evidence/redactions/`). Above `approved_posts` the run waits for approval
  (Required Actions). It runs twice a day so that one failed run still keeps within the day. The warehouse loses labels
  and words of deleted posts, whether or not a redaction waits for approval.
* **Expire**: files that no partition points at, staged lines and query results are deleted, and so is everything
  older than its zone's retention (`retention_days` of resources.json).
* **Compact**: partitions of many small files become one file each; rankings of days older than `keep_revisions_days`
  become one partition per day, without superseded revisions.
* **Report**: the cost of yesterday's statements is written to `costs/` in the results bucket.
"""

from datetime import timedelta

from airflow.sdk import dag
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import datetime

from postrank_airflow.connections.environment import SQL
from postrank_airflow.connections.sql_filters import SQL_FILTERS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.wiring import group, linked
from postrank_airflow.operators.links import ObjectsLink
from postrank_airflow.tasks import compaction, labels, maintenance, redaction


@dag(
    schedule=CronTriggerTimetable("40 3,15 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=6)),
    doc_md=with_terms(__doc__, "Lake", "Redaction", "Stub", "Compaction", "Revision"),
    params=maintenance.PARAMS,
    tags=["postrank", "lake"],
    template_searchpath=[str(SQL)],
    user_defined_filters=SQL_FILTERS,
)
def maintain_lake() -> None:
    maintenance.compare_windows()
    linked(maintenance.report_costs(), ObjectsLink())
    redaction.redact_undelivered()
    redact = redaction.redact_deleted_posts()
    with group("expire", "Delete files without a partition and what exceeds its retention") as expire:
        maintenance.delete_leftovers() >> maintenance.expire_objects()
    labels.redact_warehouse()
    redact >> expire >> [compaction.compact_partitions(), compaction.settle_rankings()]


maintain_lake()
