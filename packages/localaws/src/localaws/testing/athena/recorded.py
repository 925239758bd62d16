"""Statements with the answers that Trino gave, and a way to run many at once.

`recorded.json` holds them, one a line: those named `functions_…` and the like were answered by Trino 476, the others by
Trino 435, on which Athena's engine version 3 is based.
"""

import json
from collections.abc import Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from localaws.testing.athena.comparison import Answer
from localaws.testing.athena.queries import Queries

AT_ONCE = 3
_FILE = Path(__file__).with_name("recorded.json")


@dataclass(frozen=True, slots=True)
class Recorded:
    """`answer` is Trino's: rows, or the beginning of its error."""

    name: str
    sql: str
    answer: Answer


def recorded() -> list[Recorded]:
    """All statements, in the order of the file."""
    listed = json.loads(_FILE.read_text(encoding="utf-8"))
    return [Recorded(item["name"], item["sql"], item.get("rows", item.get("error"))) for item in listed]


def answer(queries: Queries, sql: str) -> Answer:
    """What the local Athena answers: rows, or the reason for which the statement does not start, or fails."""
    try:
        execution = queries.run(sql)
    except ClientError as error:
        message = str(error.response["Error"]["Message"])
        return message if message.startswith("NOT_SUPPORTED") else f"SYNTAX_ERROR: {message}"
    if execution["Status"]["State"] != "SUCCEEDED":
        return str(execution["Status"]["StateChangeReason"])
    return queries.result(execution)[1]


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of each statement, by its text."""

    tasks: dict[str, Future[Answer]]

    @classmethod
    def of(cls, queries: Queries, statements: Iterable[str], pool: Executor) -> "Answers":
        return cls({sql: pool.submit(answer, queries, sql) for sql in statements})

    def to(self, sql: str) -> Answer:
        return self.tasks[sql].result()
