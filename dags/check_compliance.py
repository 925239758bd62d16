"""Have X check, once a day, which of the posts that the lake holds must go, and which of their authors.

The ids of all posts of X in the lake and of their authors are listed, and the host of a collector that reads X runs a
batch compliance job with either: it has the token. Posts that X wants deleted become tombstones like any others, users
tombstones of all their posts: the next ranking leaves them out, and `maintain_lake` redacts them with evidence. The
ledger of notices names each job, with a digest of the ids.

Without a collector that reads X, or without posts of X, the run skips its work.
"""

from datetime import timedelta

from airflow.sdk import dag
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import datetime

from postrank_airflow.dag.assets import POSTS, RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.wiring import value_of
from postrank_airflow.tasks import redaction
from postrank_airflow.tasks.backfill import SliceOperator


@dag(
    schedule=CronTriggerTimetable("10 1 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retry_delay": timedelta(minutes=10)},
    deadline=within(timedelta(hours=12)),
    doc_md=with_terms(__doc__, "Collector", "Tombstone", "Redaction", "Ledger"),
    tags=["postrank", "lake"],
)
def check_compliance() -> None:
    listed = redaction.list_post_ids.override(inlets=[POSTS])()
    checked = SliceOperator.one_by_one("run_compliance_job", outlets=[RAW_POSTS]).expand(run_command_kwargs=listed)
    redaction.count_deletions(value_of(checked.output))


check_compliance()
