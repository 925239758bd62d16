"""What a day's statements cost: bytes scanned and dollars by DAG, run and relation, as Athena counted them.

Every statement of ours begins with the relation that it is about and ends with the run that asked (see `signed`);
what carries no such line was asked by a person.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

from postrank.aws.athena import ORIGIN
from postrank.documents import Document

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef
    from mypy_boto3_s3 import S3Client

COSTS = "costs/"  # in the results bucket
_BATCH = 50  # Athena, BatchGetQueryExecution
_LONGEST = timedelta(hours=6)  # how long after others a statement may stand in the history's order
_BY_HAND = "by hand"


@dataclass(frozen=True, slots=True)
class Price:
    """The price of scanning, from `prices.json`."""

    currency: str
    per_tebibyte_scanned: float
    least_bytes: int
    rounded_up_to_bytes: int

    @classmethod
    def of_list(cls) -> "Price":
        """Read the price list."""
        prices = json.loads(files("postrank.aws").joinpath("prices.json").read_text(encoding="utf-8"))
        return cls(prices["currency"], **prices["athena"])

    def billed(self, scanned: int, state: str, kind: str) -> int:
        """The bytes that one statement is billed for."""
        free = kind in ("DDL", "UTILITY") or state not in ("SUCCEEDED", "CANCELLED")
        if free or (state == "CANCELLED" and not scanned):
            return 0
        whole = -(-scanned // self.rounded_up_to_bytes) * self.rounded_up_to_bytes
        return max(whole, self.least_bytes)

    def of(self, billed: int) -> float:
        return billed / 2**40 * self.per_tebibyte_scanned


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, as far as its cost goes."""

    dag_id: str
    run: str
    relation: str
    scanned_bytes: int
    billed_bytes: int


@dataclass(frozen=True, slots=True)
class Costs:
    """The statements of a workgroup. `athena` is boto3's Athena client."""

    athena: "AthenaClient"
    workgroup: str
    price: Price

    def of_day(self, day: date) -> Document:
        """The cost report of a day (UTC, by when a statement was asked)."""
        statements = list(self._statements(day))
        return {
            "date": day.isoformat(),
            "currency": self.price.currency,
            "per_tebibyte_scanned": self.price.per_tebibyte_scanned,
            **self._sum(statements),
            "by_dag": self._grouped(statements, "dag_id"),
            "by_run": self._grouped(statements, "dag_id", "run"),
            "by_relation": self._grouped(statements, "dag_id", "relation"),
        }

    def store(self, day: date, s3: "S3Client", bucket: str) -> Document:
        """Write the report of a day to `costs/dt=YYYY-MM-DD.json`; returns it."""
        report = self.of_day(day)
        body = (json.dumps(report, indent=1) + "\n").encode()
        s3.put_object(Bucket=bucket, Key=f"{COSTS}dt={day}.json", Body=body, ContentType="application/json")
        return report

    def _statements(self, day: date) -> Iterator[Statement]:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for execution in self._executions(since=start - _LONGEST):
            submitted = execution["Status"]["SubmissionDateTime"]
            if start <= submitted < start + timedelta(days=1):
                yield self._statement(execution)

    def _executions(self, since: datetime) -> "Iterator[QueryExecutionTypeDef]":
        """The statements of the workgroup's history, the newest first, until all of a page are older than `since`."""
        pages = self.athena.get_paginator("list_query_executions").paginate(
            WorkGroup=self.workgroup, PaginationConfig={"PageSize": _BATCH}
        )
        for page in pages:
            ids = page["QueryExecutionIds"]
            if not ids:
                continue
            executions = self.athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
            yield from executions
            if executions and all(execution["Status"]["SubmissionDateTime"] < since for execution in executions):
                return

    def _statement(self, execution: "QueryExecutionTypeDef") -> Statement:
        dag_id, _, run = _origin(execution["Query"]).partition("/")
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        billed = self.price.billed(scanned, execution["Status"]["State"], execution.get("StatementType", ""))
        return Statement(dag_id, run, _relation(execution["Query"]), scanned, billed)

    def _grouped(self, statements: Iterable[Statement], *names: str) -> list[Document]:
        groups: dict[tuple[str, ...], list[Statement]] = {}
        for statement in statements:
            groups.setdefault(tuple(getattr(statement, name) for name in names), []).append(statement)
        rows = [{**dict(zip(names, key, strict=True)), **self._sum(some)} for key, some in sorted(groups.items())]
        return sorted(rows, key=lambda row: -row["billed_bytes"])

    def _sum(self, statements: list[Statement]) -> Document:
        billed = sum(statement.billed_bytes for statement in statements)
        return {
            "statements": len(statements),
            "scanned_bytes": sum(statement.scanned_bytes for statement in statements),
            "billed_bytes": billed,
            "cost": round(self.price.of(billed), 6),
        }


def _origin(sql: str) -> str:
    last = sql.rsplit("\n", 1)[-1]
    return last.removeprefix(ORIGIN) if last.startswith(ORIGIN) else _BY_HAND


def _relation(sql: str) -> str:
    """What the first line of a statement of `include/sql` calls it."""
    first = sql.lstrip().split("\n", 1)[0]
    return first.removeprefix("-- ").split(":", 1)[0] if first.startswith("-- ") and ":" in first else "-"
