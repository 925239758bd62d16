"""Athena for the few statements that are part of a step of ours: run one, wait for it, read its rows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef

_FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


ORIGIN = "-- asked by "


def signed(sql: str, origin: str) -> str:
    """A statement with a last line that says who asks; Athena keeps it with the statement."""
    return f"{sql.rstrip()}\n{ORIGIN}{origin}" if origin else sql


class QueryFailed(Retryable):
    """Athena did not finish a statement."""

    def __init__(self, query_id: str, state: str, reason: str) -> None:
        super().__init__(f"Athena query {query_id} {state}: {reason}")
        self.query_id = query_id
        self.state = state
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Execution:
    """What is known of a statement that succeeded."""

    query_id: str
    scanned_bytes: int
    output: str  # s3://bucket/key of the result


@dataclass(frozen=True, slots=True)
class Athena:
    """Statements against one database in one workgroup. `client` is boto3's Athena client."""

    client: "AthenaClient"
    database: str
    workgroup: str
    poll_seconds: float = 0.05  # the first wait; it grows to MAX_POLL_SECONDS
    origin: str = ""  # who asks, as the cost report shall say it

    MAX_POLL_SECONDS = 1.0  # what a statement may seem to take longer than it does

    def run(self, sql: str) -> Execution:
        """Run a statement to its end. Raises QueryFailed with Athena's reason."""
        started = self.client.start_query_execution(
            QueryString=signed(sql, self.origin),
            QueryExecutionContext={"Database": self.database},
            WorkGroup=self.workgroup,
        )
        pause = self.poll_seconds
        while (execution := self._get(started["QueryExecutionId"]))["Status"]["State"] not in _FINAL:
            time.sleep(pause)
            pause = min(pause * 1.5, self.MAX_POLL_SECONDS)
        return _succeeded(execution)

    def rows(self, sql: str) -> list[dict[str, str | None]]:
        """Run a query; its rows, every value as Athena's text (null as None)."""
        return self.rows_of(self.run(sql).query_id)

    def rows_of(self, query_id: str) -> list[dict[str, str | None]]:
        """The rows of a query that succeeded."""
        return list(self._rows(query_id))

    def stream(self, sql: str) -> Iterator[dict[str, str | None]]:
        """Run a query; its rows as in `rows`, read from Athena a page at a time as they are taken."""
        yield from self._rows(self.run(sql).query_id)

    def execution(self, query_id: str) -> Execution:
        """What a finished statement cost, and where its result lies. Raises QueryFailed."""
        return _succeeded(self._get(query_id))

    def _rows(self, query_id: str) -> Iterator[dict[str, str | None]]:
        pages = self.client.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        rows = (
            [cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]
        )
        header = next(rows, [])  # the first row of a SELECT's result holds the column names
        for row in rows:
            yield dict(zip((str(name) for name in header), row, strict=True))

    def _get(self, query_id: str) -> "QueryExecutionTypeDef":
        return self.client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]


def _succeeded(execution: "QueryExecutionTypeDef") -> Execution:
    status = execution["Status"]
    if status["State"] != "SUCCEEDED":
        raise QueryFailed(
            execution["QueryExecutionId"], status["State"], status.get("StateChangeReason", "no reason given")
        )
    statistics = execution.get("Statistics", {})
    return Execution(
        query_id=execution["QueryExecutionId"],
        scanned_bytes=statistics.get("DataScannedInBytes", 0),
        output=execution.get("ResultConfiguration", {}).get("OutputLocation", ""),
    )
