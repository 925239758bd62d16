"""See that the streamer collects: its instance runs, its service is active, its heartbeat is fresh.

A finished replay is well. A heartbeat that is fresh while the source is silent is *quiet*; a heartbeat that
stopped is *stuck*. What is wrong is healed a step at a time (restart the service; start or reboot the instance;
replace it), one step a run and never while a deployment goes on; every step and its reason are in the run's
output. What cannot be healed fails with a sentence that says what to do.
"""

from datetime import timedelta

from airflow.providers.amazon.aws.operators.ec2 import (
    EC2RebootInstanceOperator,
    EC2StartInstanceOperator,
    EC2TerminateInstanceOperator,
)
from airflow.providers.amazon.aws.operators.ssm import SsmRunCommandOperator
from airflow.sdk import dag
from pendulum import datetime

from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES
from postrank_airflow.dag.deadlines import within
from postrank_airflow.dag.defaults import DEFAULT_ARGS
from postrank_airflow.tasks import supervision

LOOK = supervision.LOOK_SECONDS
AWS = {"aws_conn_id": AWS_CONNECTION}
SSM = {
    **AWS,
    "document_name": RESOURCES.streamer.document,
    "waiter_delay": LOOK,
    "waiter_max_attempts": 24,
    "deferrable": True,
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
    verdict = supervision.diagnose(questions, ask_service.output)
    steps = [
        SsmRunCommandOperator(task_id="restart_service", run_command_kwargs=supervision.command("restart"), **SSM),
        EC2StartInstanceOperator(
            task_id="start_instance", instance_id=supervision.INSTANCE, check_interval=LOOK, **AWS
        ),
        EC2RebootInstanceOperator(task_id="reboot_instance", instance_ids=supervision.INSTANCE, **AWS),
        EC2TerminateInstanceOperator(task_id="replace_instance", instance_ids=supervision.INSTANCE, **AWS),
        supervision.leave_alone(verdict),
    ]
    ask_service >> verdict
    supervision.choose(verdict) >> steps >> supervision.require_healed(verdict)


supervise_streamer()
