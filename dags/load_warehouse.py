"""Load exported rankings and trends into the warehouse, the Postgres of the connection `postrank_warehouse`.

S3 tells a queue of each object; a run by such an event loads the objects that it names, within seconds. The hourly run
applies migrations, then loads what no event named, and its note counts it. A run by hand does the same; with `rebuild`
it loads everything that the results bucket holds.

A load replaces each window as a whole, in one transaction, by its newest revision; a content that was loaded before
changes nothing. Without a connection the tasks are skipped.
"""

from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, CronDataIntervalTimetable, dag
from pendulum import datetime

from postrank_airflow.dag.assets import EXPORT, TRENDS, exported_objects
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.params import WAREHOUSE_PARAMS
from postrank_airflow.tasks import warehouse

HOURLY = CronDataIntervalTimetable("25 * * * *", timezone="UTC")
events = exported_objects()


@dag(
    schedule=HOURLY if events is None else AssetOrTimeSchedule(timetable=HOURLY, assets=[events]),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=2,  # events need not wait for a sweep: loads take turns in the database
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(hours=1)),
    doc_md=with_terms(__doc__, "Export", "Revision"),
    params=WAREHOUSE_PARAMS,
    tags=["postrank", "warehouse"],
)
def load_warehouse() -> None:
    warehouse.load_notified.override(inlets=[EXPORT, TRENDS])()
    warehouse.migrate_warehouse() >> warehouse.load_missed.override(inlets=[EXPORT, TRENDS])()


load_warehouse()
