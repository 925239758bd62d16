"""Check that each collector collects: its instance runs, its service is active, its heartbeat is fresh.

A finished replay is healthy. A fresh heartbeat with a silent source means *quiet*; an old heartbeat means *stuck*.
Problems are repaired one step per run (restart the service; start or reboot the instance; replace it), and never
during a deployment. Every step and its reason are in the run's output. If nothing helps, the run fails with a
message that says what to do. Each collector is looked at and repaired by itself, whatever becomes of the others.
"""

from datetime import timedelta

from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.docs import with_terms
from postrank_airflow.dag.wiring import for_each_collector, value_of
from postrank_airflow.tasks import collectors, remedies, supervision


@dag(
    schedule=timedelta(minutes=5),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retries": 0, "execution_timeout": timedelta(minutes=10)},
    deadline=within(timedelta(minutes=10)),
    doc_md=with_terms(__doc__, "Collector", "Heartbeat", "Deploy marker"),
    tags=["postrank", "streamer"],
)
def supervise_streamer() -> None:
    supervise = "Look at one collector, and repair it by one step"
    for_each_collector(collectors.list_collectors(), "supervise", supervise, supervise_collector)


def supervise_collector(collector: str) -> None:
    instance = supervision.describe_instance(collector)
    check_service = remedies.check_service()
    verdict = supervision.diagnose_streamer(collector, value_of(instance), value_of(check_service.output))
    remedy = supervision.choose_remedy(value_of(verdict))
    instance >> check_service >> verdict
    remedy >> remedies.remedies() >> supervision.require_healed()
    supervision.report_finding(value_of(verdict))


supervise_streamer()
