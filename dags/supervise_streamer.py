"""See that the streamer collects: its instance runs, its service is active, its heartbeat is fresh.

A finished replay is well. A heartbeat that is fresh while the source is silent is *quiet*; a heartbeat that
stopped is *stuck*. What is wrong is healed a step at a time (restart the service; start or reboot the instance;
replace it), one step a run and never while a deployment goes on; every step and its reason are in the run's
output. What cannot be healed fails with a sentence that says what to do.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.operators.ssm import SsmRunCommandOperator
from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow import supervision
from postrank_airflow.names import AWS_CONNECTION, DEFAULT_ARGS, POLL_SECONDS, RESOURCES


@dag(
    schedule=timedelta(minutes=5),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retries": 0, "execution_timeout": timedelta(minutes=10)},
    doc_md=__doc__,
    tags=["postrank", "streamer"],
)
def supervise_streamer() -> None:
    questions = supervision.look_at_instance()
    ask_service = SsmRunCommandOperator.partial(
        task_id="ask_service",
        document_name=RESOURCES.streamer.document,
        aws_conn_id=AWS_CONNECTION,
        waiter_delay=min(POLL_SECONDS, 5),
        waiter_max_attempts=12,
        deferrable=True,
        fail_on_nonzero_exit=False,
    ).expand(run_command_kwargs=questions)
    diagnosis = supervision.diagnose(questions, ask_service.output)
    ask_service >> diagnosis >> supervision.heal(diagnosis)


supervise_streamer()
