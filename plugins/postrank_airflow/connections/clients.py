"""boto3 clients, and what Postrank builds on them, from the Airflow connection."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.types import DagRunProtocol

from postrank.aws.athena import Athena
from postrank.aws.clients import Client, MakeClient
from postrank.aws.glue import Catalogue
from postrank.collectors.registry import Registry
from postrank.ranking.lease import Lease
from postrank.ranking.run_identity import Run
from postrank.supervision.observe import Observer
from postrank_airflow.connections.environment import AWS_CONNECTION, RESOURCES
from postrank_airflow.connections.run_context import run_context


def _client(service: str, /) -> Client:
    """A boto3 client of the connection's account and region."""
    return AwsGenericHook(aws_conn_id=AWS_CONNECTION, client_type=service).get_conn()


client: MakeClient = _client


def catalogue() -> Catalogue:
    return Catalogue(client("glue"), RESOURCES.database)


def athena() -> Athena:
    """Athena for the task that asks: its statements say which run they belong to."""
    return Athena(client("athena"), RESOURCES.database, RESOURCES.workgroup, origin=origin(run_context().dag_run))


def registry() -> Registry:
    """The collectors of the environment."""
    return Registry(client("s3"), RESOURCES)


def observer(collector: str) -> Observer:
    """What a collector's instance looks like from outside."""
    return Observer(client, RESOURCES.of_collector(collector))


def lease(name: str) -> Lease:
    """A lease of the lake, as the run sees it that the task belongs to."""
    context = run_context()
    return Lease(
        s3=client("s3"),
        bucket=RESOURCES.buckets["lake"],
        name=name,
        dag_id=context.dag_run.dag_id,
        run=context.run,
        is_over=_is_over,
    )


def _is_over(dag_id: str, run_id: str) -> bool:
    """Whether Airflow has ended a run, or does not know it any more."""
    task_instance: Any = run_context().ti  # Airflow's protocol leaves get_dagrun_state out
    try:
        return task_instance.get_dagrun_state(dag_id, run_id) in ("success", "failed")
    except AirflowRuntimeError as error:
        if (error.error.detail or {}).get("status_code") == 404:
            return True
        raise


def origin(dag_run: DagRunProtocol) -> str:
    """The run that a statement belongs to, as the cost report tells it."""
    return f"{dag_run.dag_id}/{Run(dag_run.run_id).slug}"
