"""Statements run through the public API, and what they gave."""

import gzip
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from localaws.core.shapes import Document, Structure
from localaws.testing.waiting import wait_for

DATA = "athena-data"
RESULTS = "athena-results"
DATABASE = "tests"
Cell = str | None
# Rows enough to run for minutes on any machine.
ENDLESS = (
    "select count(*) from unnest(sequence(1, 10000)) as a (x) cross join unnest(sequence(1, 10000)) as b (y)"
    " cross join unnest(sequence(1, 10000)) as c (z) where sqrt(x * y + z) < 0"
)


@dataclass
class Queries:
    """`client` makes boto3 clients."""

    client: Callable[[str], Any]
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    patience: float = 60  # seconds for a statement

    def create(self) -> "Queries":
        for bucket in (DATA, RESULTS):
            self.client("s3").create_bucket(Bucket=bucket)
        self.ok(f"create database {DATABASE}")
        return self

    def start(self, sql: str, parameters: Sequence[str] = (), **options: Any) -> str:
        if parameters:
            options["ExecutionParameters"] = list(parameters)
        options.setdefault("ResultConfiguration", {"OutputLocation": f"s3://{RESULTS}/out/"})
        options.setdefault("QueryExecutionContext", {"Database": DATABASE})
        return str(self.client("athena").start_query_execution(QueryString=sql, **options)["QueryExecutionId"])

    def run(self, sql: str, parameters: Sequence[str] = (), **options: Any) -> Document:
        """Run to the end; returns QueryExecution."""
        return self.ended(self.start(sql, parameters, **options))

    def ended(self, key: str) -> Document:
        athena = self.client("athena")

        def end() -> Document | None:
            execution = athena.get_query_execution(QueryExecutionId=key)["QueryExecution"]
            return None if execution["Status"]["State"] in ("QUEUED", "RUNNING") else dict(execution)

        execution: Document = wait_for(end, timeout=self.patience, what=f"the end of query {key}")
        return execution

    def ok(self, sql: str, parameters: Sequence[str] = (), **options: Any) -> Document:
        execution = self.run(sql, parameters, **options)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        return execution

    def failure(self, sql: str, **options: Any) -> str:
        """The reason for which a statement fails."""
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "FAILED", sql
        assert execution["Status"]["AthenaError"]["ErrorMessage"] == execution["Status"]["StateChangeReason"]
        return str(execution["Status"]["StateChangeReason"])

    def refusal(self, sql: str) -> str:
        """Why a statement does not start, or fails."""
        try:
            return self.failure(sql)
        except ClientError as error:
            return str(error.response["Error"]["Message"])

    def rows(self, sql: str, parameters: Sequence[str] = (), **options: Any) -> list[list[Cell]]:
        """The rows of a query, without the heading."""
        return self.result(self.ok(sql, parameters, **options))[1]

    def result(self, execution: Structure) -> tuple[list[Cell], list[list[Cell]]]:
        """Heading and rows; a statement that is no query has no heading."""
        pages = self.client("athena").get_paginator("get_query_results")
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in pages.paginate(QueryExecutionId=execution["QueryExecutionId"])
            for row in page["ResultSet"]["Rows"]
        ]
        return (rows[0], rows[1:]) if execution["StatementType"] == "DML" else ([], rows)

    def name(self, stem: str = "t") -> str:
        """A table name that no other test uses."""
        return f"{stem}_{next(self.numbers)}"

    def put(self, key: str, body: bytes | Sequence[Structure]) -> str:
        """Store bytes, or rows as JSON lines (packed where the key ends in .gz); returns the folder's address."""
        if not isinstance(body, bytes):
            body = "".join(json.dumps(row) + "\n" for row in body).encode()
            body = gzip.compress(body) if key.endswith(".gz") else body
        self.client("s3").put_object(Bucket=DATA, Key=key, Body=body)
        return f"s3://{DATA}/{key.rpartition('/')[0]}/"

    def json_table(self, columns: str, rows: Mapping[str, Sequence[Structure]], keys: str = "") -> str:
        """An external table over JSON lines; `rows` by object name below the table's folder. Returns its name."""
        name = self.name()
        for key, lines in rows.items():
            self.put(f"{name}/{key}", lines)
        partitioned = f"partitioned by ({keys})" if keys else ""
        self.ok(
            f"create external table {name} ({columns}) {partitioned}"
            f" row format serde 'org.openx.data.jsonserde.JsonSerDe' location 's3://{DATA}/{name}/'"
        )
        if keys:
            self.ok(f"msck repair table {name}")
        return name
