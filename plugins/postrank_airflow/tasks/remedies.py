"""The stock operators of `supervise_streamer`: the question to the service, and the group of remedies."""

from datetime import timedelta

from airflow.providers.amazon.aws.operators.ec2 import (
    EC2RebootInstanceOperator,
    EC2StartInstanceOperator,
    EC2TerminateInstanceOperator,
)
from airflow.sdk import TaskGroup

from postrank.documents import Document
from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES
from postrank_airflow.dag.wiring import group
from postrank_airflow.tasks import supervision
from postrank_airflow.tasks.supervision import ServiceOperator

_AWS: Document = {"aws_conn_id": AWS_CONNECTION}
_INSTANCE: Document = {**_AWS, "instance_ids": supervision.INSTANCE}
_CHOSEN: Document = {"pre_execute": supervision.only_if_chosen}
_SSM: Document = {
    **_AWS,
    "document_name": RESOURCES.streamer.document,
    "waiter_delay": supervision.LOOK_SECONDS,
    "waiter_max_attempts": supervision.COMMAND_SECONDS // supervision.LOOK_SECONDS,
    "deferrable": True,
    # A busy scheduler fails a deferred task that resumes before the end of its first process was noted. Both commands
    # may run twice.
    "retries": 2,
    "retry_delay": timedelta(seconds=5),
}


def check_service() -> ServiceOperator:
    """The operator that asks systemd for the state of the service."""
    doc = "Ask systemd on the instance for the state of the streamer's service, with the SSM document."
    return ServiceOperator(
        task_id="check_service",
        action="status",
        seen_by="describe_instance",
        fail_on_nonzero_exit=False,
        doc_md=doc,
        **_SSM,
    )


def remedies() -> TaskGroup:
    """The group of remedies, named as the actions of a verdict. One of them acts."""
    with group("remedies", "One of these acts: the one that `choose_remedy` names") as tasks:
        ServiceOperator(
            task_id="restart_service",
            action="restart",
            seen_by="diagnose_streamer",
            doc_md="Restart the streamer's service with the SSM document.",
            **_CHOSEN,
            **_SSM,
        )
        EC2StartInstanceOperator(
            task_id="start_instance",
            instance_id=supervision.INSTANCE,
            check_interval=supervision.LOOK_SECONDS,
            doc_md="Start the streamer's stopped instance.",
            **_CHOSEN,
            **_AWS,
        )
        EC2RebootInstanceOperator(
            task_id="reboot_instance", doc_md="Reboot the streamer's instance.", **_CHOSEN, **_INSTANCE
        )
        EC2TerminateInstanceOperator(
            task_id="replace_instance",
            doc_md="Terminate the streamer's instance; its Auto Scaling group starts another one.",
            **_CHOSEN,
            **_INSTANCE,
        )
    return tasks
