"""Keep the Spark job running that counts windows of the stream, and compare its windows with the lake's.

* **The job** is a streaming run of EMR Serverless. One that ended is started again, and one of an older release is
  replaced; both resume from their checkpoint. EMR itself restarts a run that failed, up to five times an hour.
* **The windows** of authors that Spark counted equal the lake's minutes, for every hour that has closed. A difference
  fails the run with both numbers.

Without a release in the artifacts bucket (`postrank-spark release`) all tasks are skipped.
"""

from datetime import timedelta

from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.wiring import group, value_of
from postrank_airflow.tasks import spark


@dag(
    schedule=timedelta(minutes=15),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "execution_timeout": timedelta(minutes=12)},
    deadline=within(timedelta(minutes=30)),
    doc_md=with_terms(__doc__, "Author window", "Event time", "Watermark"),
    tags=["postrank", "spark"],
)
def stream_windows() -> None:
    with group("job", "One streaming run of the newest release is at work"):
        plan = spark.describe_job()
        step = spark.choose_step(value_of(plan))
        keep_run = spark.keep_run(value_of(plan))
        create_application = spark.create_application()
        stop_run = spark.stop_run()
        start_run = spark.start_run()
        step >> [create_application, stop_run, keep_run]
        [step, create_application, stop_run] >> start_run
    [start_run, keep_run] >> spark.require_equal_windows()


stream_windows()
