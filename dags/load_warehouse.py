"""Load exported rankings and trends into the warehouse, the Postgres of the connection `postrank_warehouse`.

A load replaces each window as a whole, in one transaction, by its newest revision; a content that was loaded before
changes nothing. Migrations run first. A run by hand with `rebuild` loads everything that the results bucket holds.
Without a connection the tasks are skipped.
"""

from datetime import timedelta

from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow.dag.assets import EXPORT, TRENDS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.params import WAREHOUSE_PARAMS
from postrank_airflow.tasks import warehouse


@dag(
    schedule=CronDataIntervalTimetable("25 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=with_terms(__doc__, "Export", "Revision"),
    params=WAREHOUSE_PARAMS,
    tags=["postrank", "warehouse"],
)
def load_warehouse() -> None:
    warehouse.migrate_warehouse() >> warehouse.load_missed.override(inlets=[EXPORT, TRENDS])()


load_warehouse()
