"""Check that the streamer collects: its instance runs, its service is active, its heartbeat is fresh.

A finished replay is healthy. A fresh heartbeat with a silent source means *quiet*; an old heartbeat means *stuck*.
Problems are repaired one step per run (restart the service; start or reboot the instance; replace it), and never
during a deployment. Every step and its reason are in the run's output. If nothing helps, the run fails with a
message that says what to do.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.operators.ec2 import (
    EC2RebootInstanceOperator,
    EC2StartInstanceOperator,
    EC2TerminateInstanceOperator,
)
from airflow.providers.amazon.aws.operators.ssm import SsmRunCommandOperator
from airflow.sdk import BaseOperator, XComArg, dag
from pendulum import datetime

from postrank.documents import Document
from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.dag.wiring import value_of
from postrank_airflow.tasks import supervision

LOOK = supervision.LOOK_SECONDS
AWS: Document = {"aws_conn_id": AWS_CONNECTION}
SSM: Document = {
    **AWS,
    "document_name": RESOURCES.streamer.document,
    "waiter_delay": LOOK,
    "waiter_max_attempts": supervision.COMMAND_SECONDS // LOOK,
    "deferrable": True,
    # A busy scheduler fails a deferred task that resumes before the end of its first process was noted. Both commands
    # may run twice.
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
}


@dag(
    schedule=timedelta(minutes=5),
    start_date=datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "retries": 0, "execution_timeout": timedelta(minutes=10)},
    deadline=within(timedelta(minutes=10)),
    doc_md=__doc__,
    tags=["postrank", "streamer"],
)
def supervise_streamer() -> None:
    questions = supervision.look_at_instance()
    ask_service = SsmRunCommandOperator.partial(task_id="ask_service", fail_on_nonzero_exit=False, **SSM).expand(
        run_command_kwargs=questions
    )
    verdict = supervision.diagnose(value_of(questions), ask_service.output)
    steps: list[BaseOperator | XComArg] = [
        SsmRunCommandOperator(task_id="restart_service", run_command_kwargs=supervision.command("restart"), **SSM),
        EC2StartInstanceOperator(
            task_id="start_instance", instance_id=supervision.INSTANCE, check_interval=LOOK, **AWS
        ),
        EC2RebootInstanceOperator(task_id="reboot_instance", instance_ids=supervision.INSTANCE, **AWS),
        EC2TerminateInstanceOperator(task_id="replace_instance", instance_ids=supervision.INSTANCE, **AWS),
        supervision.leave_alone(value_of(verdict)),
    ]
    ask_service >> verdict
    supervision.choose_remedy(value_of(verdict)) >> steps >> supervision.require_healed(value_of(verdict))


supervise_streamer()
