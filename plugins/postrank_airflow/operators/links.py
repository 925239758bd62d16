"""Buttons on the pages of tasks: to the query that a task ran, to the objects that it wrote, to the ranking's pages.

A worker makes an address when a task ends, from the task's XComs, and Airflow keeps it as an XCom of its own. An empty
address shows no button, so a task that was skipped has none.
"""

from collections.abc import Mapping
from typing import ClassVar

from airflow.providers.amazon.aws.links.athena import AthenaQueryResultsLink
from airflow.sdk import BaseOperator, BaseOperatorLink, get_current_context
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.types import TaskInstanceKey

from postrank.ranking.run_identity import Run
from postrank_airflow.dag import addresses

_WRITTEN = "postrank_written"  # the XCom that says where a task wrote: `s3://bucket/key` or a prefix


def wrote(uri: str) -> str:
    """Have the current task's button lead to the objects at or below `uri`. Returns it."""
    get_current_context()["ti"].xcom_push(key=_WRITTEN, value=uri)
    return uri


class QueryLink(BaseOperatorLink):
    """To the statement that a task of Athena ran."""

    name: ClassVar[str] = "Athena query"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        query: Mapping[str, str] | None = XCom.get_value(ti_key=ti_key, key=AthenaQueryResultsLink.key)
        return addresses.query_page(ti_key.dag_id, query["query_execution_id"]) if query else ""


class ObjectsLink(BaseOperatorLink):
    """To the objects that a task wrote."""

    name: ClassVar[str] = "S3 objects"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        uri = _written(ti_key)
        return addresses.objects_page(ti_key.dag_id, uri) if uri else ""


class LeaderboardLink(BaseOperatorLink):
    """To the Leaderboard of the task's run, once that is exported."""

    name: ClassVar[str] = "Leaderboard"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        return addresses.leaderboard(Run(ti_key.run_id).slug) if _written(ti_key) else ""


class ReportLink(BaseOperatorLink):
    """To the report of the task's run, once that is written."""

    name: ClassVar[str] = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        return addresses.report(Run(ti_key.run_id).slug) if _written(ti_key) else ""


def _written(ti_key: TaskInstanceKey) -> str | None:
    """Where a task wrote; None where it wrote nothing."""
    uri: str | None = XCom.get_value(ti_key=ti_key, key=_WRITTEN)
    return uri
