"""boto3 clients, and what Postrank builds on them, from the Airflow connection."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank_airflow.names import AWS_CONNECTION, RESOURCES


def client(service: str) -> Any:
    """A boto3 client of the connection's account and region."""
    return AwsGenericHook(aws_conn_id=AWS_CONNECTION, client_type=service).get_conn()


def catalogue() -> Catalogue:
    return Catalogue(client("glue"), RESOURCES.database)


def athena() -> Athena:
    return Athena(client("athena"), RESOURCES.database, RESOURCES.workgroup)
