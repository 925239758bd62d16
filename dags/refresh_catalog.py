"""Crawl the arrival hours that Firehose delivered, and check that the crawler found them.

The crawler only adds partitions to tables with a fixed schema. `READY` does not mean success: the status of the last
crawl is checked. Every hour of the data interval that contains objects must then be a partition; an hour without
arrivals is fine and is reported.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerRunOperator
from airflow.sdk import dag
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import datetime

from postrank_airflow.connections.environment import AWS_CONNECTION, POLL_SECONDS, RESOURCES
from postrank_airflow.dag.assets import RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.tasks import catalog


@dag(
    schedule=CronDataIntervalTimetable("5 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    deadline=within(timedelta(minutes=30)),
    doc_md=with_terms(__doc__, "Raw zone", "Arrival hour"),
    tags=["postrank", "lake"],
)
def refresh_catalog() -> None:
    crawl = GlueCrawlerRunOperator(
        task_id="crawl_raw_zone",
        crawler_name=RESOURCES.crawler,
        aws_conn_id=AWS_CONNECTION,
        poll_interval=POLL_SECONDS,
        deferrable=True,
        fail_on_already_running=False,
        execution_timeout=timedelta(minutes=20),
        doc_md="Run the Glue crawler over the raw zone; a crawl that is under way already is waited for.",
    )
    crawl >> catalog.require_success() >> catalog.require_partitions.override(outlets=[RAW_POSTS])()


refresh_catalog()
