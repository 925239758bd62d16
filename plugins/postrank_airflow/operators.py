"""Athena statements that write a table of the run's own, and may be repeated at any point."""

from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import Context
from airflow.sdk.definitions.mappedoperator import OperatorPartial

from postrank.aws import prefixes
from postrank_airflow import clients
from postrank_airflow.names import AWS_CONNECTION, POLL_SECONDS, RESOURCES


class StatementOperator(AthenaOperator):
    """The stock operator on the project's database and workgroup, with a file of `include/sql` as its query."""

    def __init__(self, **kwargs: Any) -> None:
        arguments = {
            "database": RESOURCES.database,
            "workgroup": RESOURCES.workgroup,
            "aws_conn_id": AWS_CONNECTION,
            "sleep_time": POLL_SECONDS,
            "deferrable": True,
        }
        super().__init__(**{**arguments, **kwargs})

    @classmethod
    def of_file(cls, task_id: str, query: str) -> OperatorPartial:
        """The operator for a file of `include/sql`, to be mapped over the parameters of its statements."""
        return cls.partial(task_id=task_id, query=query)


class CreateTableOperator(StatementOperator):
    """A CTAS of the table `params.table` at `params.location`.

    Athena refuses a CTAS of a known table or into a prefix that holds anything ("CTAS table properties",
    external_location): what an earlier attempt left of either is taken away first.
    """

    def execute(self, context: Context) -> str | None:
        params = context["params"]
        clients.catalogue().drop(params["table"])
        prefixes.empty(clients.client("s3"), f"{params['location']}attempt={context['ti'].try_number}/")
        return super().execute(context)
