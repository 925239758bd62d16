"""SELECT and EXPLAIN."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Column, Outcome
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.sql.trino.types import Type

PLAN = "Query Plan"  # heads an EXPLAIN's only column, and its text
_CHUNK = 5000  # rows fetched at a time
_PRECISIONS = {
    "bigint": 19, "integer": 10, "smallint": 5, "tinyint": 3, "double": 17, "float": 17,
    "boolean": 0,
    "time": 3, "timestamp": 3, "timestamp with time zone": 3, "varbinary": 1073741824,
}  # fmt: skip


@dataclass(slots=True)
class Select:
    """A query whose rows go to the result file."""

    query: exp.Query
    kind: str = "DML"
    substatement: str = "SELECT"

    def run(self, session: Session) -> Outcome:
        plan = session.plan(self.query)
        columns = [column(name, kind) for name, kind in plan.columns]
        return Outcome(columns=columns, rows=_rows(session.cursor.execute(plan.sql)), types=plan.types)


@dataclass(slots=True)
class Explain:
    """The local engine's plan, which is not Athena's."""

    query: exp.Query
    analyze: bool = False
    kind: str = "UTILITY"
    substatement: str = "EXPLAIN"

    def run(self, session: Session) -> Outcome:
        sql = session.plan(self.query).sql
        text = session.cursor.execute(f"explain {'analyze ' if self.analyze else ''}{sql}").fetchall()[-1][1]
        return Outcome(
            columns=[Column(PLAN, "varchar", 2147483647)], rows=iter([line] for line in [PLAN, *text.split("\n")])
        )


def column(name: str, kind: Type) -> Column:
    """How GetQueryResults describes a column of a type."""
    called = hive_types.athena_name(kind)
    if kind.name == "decimal":
        return Column(name.lower(), called, kind.sizes[0], kind.sizes[1])
    if kind.name in ("varchar", "char"):
        return Column(name.lower(), called, kind.sizes[0])
    return Column(name.lower(), called, _PRECISIONS.get(called, 0))


def _rows(cursor: Any) -> Iterator[Sequence[Any]]:
    while chunk := cursor.fetchmany(_CHUNK):
        yield from chunk
