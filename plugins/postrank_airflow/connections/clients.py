"""boto3 clients, and what Postrank builds on them, from the Airflow connection."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.sdk import get_current_context

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.ranking.run_identity import Run
from postrank.supervision.observe import Observer
from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES


def client(service: str) -> Any:
    """A boto3 client of the connection's account and region."""
    return AwsGenericHook(aws_conn_id=AWS_CONNECTION, client_type=service).get_conn()


def catalogue() -> Catalogue:
    return Catalogue(client("glue"), RESOURCES.database)


def athena() -> Athena:
    """Athena for the task that asks: its statements say which run they belong to."""
    return Athena(client("athena"), RESOURCES.database, RESOURCES.workgroup, origin=origin(get_current_context()))


def observer() -> Observer:
    return Observer(client, RESOURCES)


def origin(context: Any) -> str:
    """The run that a statement belongs to, as the cost report tells it."""
    dag_run = context["dag_run"]
    return f"{dag_run.dag_id}/{Run(dag_run.run_id).slug}"
