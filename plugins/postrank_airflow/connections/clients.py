"""boto3 clients, and what Postrank builds on them, from the Airflow connection."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowRuntimeError

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.ranking.lease import Lease
from postrank.ranking.run_identity import Run
from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES


def client(service: str) -> Any:
    """A boto3 client of the connection's account and region."""
    return AwsGenericHook(aws_conn_id=AWS_CONNECTION, client_type=service).get_conn()


def catalogue() -> Catalogue:
    return Catalogue(client("glue"), RESOURCES.database)


def athena() -> Athena:
    """Athena for the task that asks: its statements say which run they belong to."""
    return Athena(client("athena"), RESOURCES.database, RESOURCES.workgroup, origin=origin(get_current_context()))


def lease(name: str) -> Lease:
    """A lease of the lake, as the run sees it that the task belongs to."""
    dag_run = get_current_context()["dag_run"]
    return Lease(
        s3=client("s3"),
        bucket=RESOURCES.buckets["lake"],
        name=name,
        dag_id=dag_run.dag_id,
        run=Run(dag_run.run_id),
        is_over=_is_over,
    )


def _is_over(dag_id: str, run_id: str) -> bool:
    """Whether Airflow has ended a run, or does not know it any more."""
    task_instance: Any = get_current_context()["ti"]
    try:
        return task_instance.get_dagrun_state(dag_id, run_id) in ("success", "failed")
    except AirflowRuntimeError as error:
        if (error.error.detail or {}).get("status_code") == 404:
            return True
        raise


def origin(context: Any) -> str:
    """The run that a statement belongs to, as the cost report tells it."""
    dag_run = context["dag_run"]
    return f"{dag_run.dag_id}/{Run(dag_run.run_id).slug}"
