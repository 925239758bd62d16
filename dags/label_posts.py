"""Label posts and count words for the warehouse. Off unless the variable `postrank_labels` says what to do.

**Labels**: the posts of arrival hours that the configured model has not labelled yet, in batches, within a budget of
posts and seconds per run. A killed run resumes after its last batch. Edited posts get new labels; deleted posts lose
theirs.

**Words**: posts by posted day, language and word. A day is counted again as a whole whenever its posts have changed.

Without the variable or a connection `postrank_warehouse` the tasks are skipped.
"""

from datetime import timedelta

from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow.dag.assets import POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.tasks import labels


@dag(
    schedule=CronDataIntervalTimetable("35 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=with_terms(__doc__, "Arrival hour", "Event time", "Lease"),
    tags=["postrank", "warehouse"],
)
def label_posts() -> None:
    labels.new_labels.override(inlets=[POSTS])() >> labels.word_counts.override(inlets=[POSTS])()


label_posts()
