"""Athena statements that write a table of the run's own, and may be repeated at any point."""

import time
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import Context
from airflow.sdk.definitions.mappedoperator import OperatorPartial
from airflow.sdk.exceptions import TaskDeferred

from postrank.aws import prefixes
from postrank.aws.athena import signed
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import AWS_CONNECTION, POLL_SECONDS, RESOURCES
from postrank_airflow.connections.sql_filters import attempt_prefix
from postrank_airflow.dag.docs import of_statement
from postrank_airflow.operators.lineage import dataset, parseable
from postrank_airflow.operators.links import QueryLink

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.links.athena import AthenaQueryResultsLink
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors.base import OperatorLineage

_MOMENT = 2.0  # seconds: the triggerer looks about once a second, so a deferral and the way back take no less
_LOOK = 0.1  # seconds between two looks within the moment


class StatementOperator(AthenaOperator):
    """The stock operator on the project's database and workgroup, with a file of `include/sql` as its query.

    It defers, as the stock operator does, unless the statement succeeds within a moment.
    """

    # The stock link leads to AWS's console only, and to no local AWS.
    operator_extra_links = cast("tuple[AthenaQueryResultsLink]", (QueryLink(),))  # declared as a tuple of that class

    def __init__(self, **kwargs: Any) -> None:
        arguments = {
            "database": RESOURCES.database,
            "workgroup": RESOURCES.workgroup,
            "aws_conn_id": AWS_CONNECTION,
            "sleep_time": POLL_SECONDS,
            "deferrable": True,
        }
        super().__init__(**{**arguments, **kwargs})

    def execute(self, context: Context) -> str | None:
        self.query = signed(self.query, clients.origin(context["dag_run"]))
        try:
            return super().execute(context)
        except TaskDeferred:
            if not self._succeeds_in_a_moment(str(self.query_execution_id)):
                raise
            return self.query_execution_id

    def _succeeds_in_a_moment(self, query: str) -> bool:
        deadline = time.monotonic() + _MOMENT
        while (state := self.hook.check_query_status(query)) in AthenaHook.INTERMEDIATE_STATES:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK)
        return state in AthenaHook.SUCCESS_STATES

    def get_openlineage_facets_on_complete(self, task_instance: object) -> "OperatorLineage[Any, Any]":
        query = self.query
        self.query = parseable(query)
        try:
            return super().get_openlineage_facets_on_complete(task_instance)
        finally:
            self.query = query

    def get_openlineage_dataset(self, database: str, table: str) -> "Dataset":
        return dataset(database, table)

    @classmethod
    def of_file(cls, task_id: str, query: str) -> OperatorPartial:
        """The operator for a file of `include/sql`, to be mapped over the parameters of its statements."""
        return cls.partial(task_id=task_id, query=query, doc_md=of_statement(query))


class CreateTableOperator(StatementOperator):
    """A CTAS of the table `params.table` at `params.location`.

    Athena refuses a CTAS of a known table or into a prefix that holds anything ("CTAS table properties",
    external_location): what an earlier attempt left of either is taken away first.
    """

    def execute(self, context: Context) -> str | None:
        params = context["params"]
        clients.catalogue().drop(params["table"])
        prefixes.empty(clients.client("s3"), attempt_prefix(context["ti"], params["location"]))
        return super().execute(context)
