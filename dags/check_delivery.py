"""Check that everything the streamer sent is in the lake, hop by hop, and name the hop that fails.

* **Firehose** is active, makes progress (freshness, success, throttling, iterator age), and wrote no errors. With
  `put_back_records`, a run by hand puts undelivered records back on the stream.
* **Conservation**, for each collector by itself: read = events + rejected + ignored; events = delivered + spooled + in
  flight; acknowledged lines are in the lake once Firehose's buffering time has passed.
* The **newest object** is not older than the newest acknowledged line allows.
* The **windows** of the stream equal the lake's counts, minute by minute, for every hour that has closed.

A failure names the hop and the numbers; the runbook has a section for each.
"""

from datetime import timedelta

from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.dag.assets import RAW_POSTS
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.wiring import group, value_of
from postrank_airflow.tasks import collectors, delivery


@dag(
    schedule=timedelta(minutes=10),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "execution_timeout": timedelta(minutes=10)},
    deadline=within(timedelta(minutes=20)),
    doc_md=with_terms(__doc__, "Collector", "Hop", "Conservation", "Reject", "Author window"),
    params=delivery.PARAMS,
    tags=["postrank", "delivery"],
)
def check_delivery() -> None:
    with group("firehose", "Firehose is active, makes progress, and left no undelivered record"):
        delivery.require_active()
        delivery.require_movement()
        delivery.put_errors_back() >> delivery.require_no_errors()
    with group("counts", "What the streamer counted is in the lake"):
        listed = collectors.list_collectors()
        counted = delivery.count_lines.override(inlets=[RAW_POSTS])(value_of(listed))
        delivery.require_conservation.expand(counted=counted)
        delivery.require_equal_windows(value_of(listed))


check_delivery()
