"""Statements of `include/sql` as the local Athena ran them, made into queries that a Trino without tables answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from postrank.aws.athena import Athena, Execution
from tests.support.lake.ranked_lake import Lake, render

SQL = Path(__file__).resolve().parents[2] / "include" / "sql"
Row = list[str | None]
_HEADINGS = {path.read_text().splitlines()[0]: path.relative_to(SQL).as_posix() for path in sorted(SQL.rglob("*.sql"))}
_TYPES = {"string": "varchar", "int": "integer", "timestamp": "timestamp(3)", "array<string>": "array(varchar)"}


@dataclass(frozen=True)
class Recorded:
    """One statement: its file, its query over rows that it carries with it, and what the local Athena answered."""

    path: str
    query: str
    rows: list[Row]

    @property
    def is_ordered(self) -> bool:
        return bool(sqlglot.parse_one(self.query, read="trino").args.get("order"))


def telling(recorded: Sequence[Recorded]) -> list[Recorded]:
    """Of each file, the run that gave most rows and the last one: Trino takes seconds for each."""
    last = {one.path: one for one in recorded}
    most = {one.path: one for one in sorted(recorded, key=lambda one: len(one.rows))}
    return [one for one in recorded if one is last[one.path] or one is most[one.path]]


class RecordedLake(Lake):
    """A lake that remembers what was run on it."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.client, lake.names)
        self.recorded: list[Recorded] = []

    @property
    def athena(self) -> Athena:
        recording = _Recording(super().athena.client, self.names.database, self.names.workgroup, poll_seconds=0.02)
        object.__setattr__(recording, "lake", self)
        return recording

    def record_views(self) -> None:
        """Remember what the views give now."""
        for path in sorted(SQL.glob("ddl/*.sql")):
            sql = f"select * from {path.stem}"
            self.recorded.append(Recorded(f"ddl/{path.name}", self.query(sql), self.answer(sql)))

    def answer(self, sql: str) -> list[Row]:
        return [list(row.values()) for row in super().athena.rows(sql)]

    def query(self, sql: str) -> str:
        """A SELECT with the rows of its tables, and the text of its views, written into it."""
        parts = [f"{name} as ({text})" if text else self._values(name) for name, text in self._inputs(sql).items()]
        body = sql[sql.index("with ") + 5 :] if sqlglot.parse_one(sql, read="trino").args.get("with_") else None
        return f"with {', '.join(parts)}{', ' + body if body else ' ' + sql}"

    def _inputs(self, sql: str) -> dict[str, str]:
        """The tables that a query reads, and before each view what that reads; views with their text."""
        tree = sqlglot.parse_one(sql, read="trino")
        inner = {cte.alias for cte in tree.find_all(exp.CTE)}
        found: dict[str, str] = {}
        for name in sorted({table.name for table in tree.find_all(exp.Table)} - inner):
            view = SQL / "ddl" / f"{name}.sql"
            text = render(f"ddl/{name}.sql").split(" as\n", 1)[1] if view.exists() else ""
            found |= self._inputs(text) if text else {}
            found[name] = text
        return found

    def _values(self, table: str) -> str:
        """A table as a common table expression of typed literals."""
        described = self.client("glue").get_table(DatabaseName=self.names.database, Name=table)["Table"]
        columns = [*described["StorageDescriptor"]["Columns"], *described.get("PartitionKeys", [])]
        names = [column["Name"] for column in columns]
        types = [column["Type"] for column in columns]
        told = [
            f"json_format(cast({name} as json)) as {name}" if kind.startswith("array") else name
            for name, kind in zip(names, types, strict=True)
        ]
        rows = self.answer(f"select {', '.join(told)} from {table}")
        literals = [
            f"({', '.join(_literal(cell, kind) for cell, kind in zip(row, types, strict=True))})" for row in rows
        ]
        nothing = f"select {', '.join(_literal(None, kind) for kind in types)} where false"
        return f"{table} ({', '.join(names)}) as ({'values ' + ', '.join(literals) if rows else nothing})"


class _Recording(Athena):
    """Athena for a recorded lake: `lake` is set beside the fields, which are frozen."""

    lake: Any

    def run(self, sql: str) -> Execution:
        path = _HEADINGS.get(sql.splitlines()[0])
        if path is None or path.startswith("ddl/"):
            return super().run(sql)
        writes = sql.split("\ncreate table ", 1)[1:]
        body = sql.split("\n) as\n", 1)[1] if writes else "\n".join(_code(sql))
        query = self.lake.query(body)
        done = super().run(sql)
        rows = self.lake.answer(f"select * from {writes[0].split()[0]}") if writes else self._answered(done)
        self.lake.recorded.append(Recorded(path, query, rows))
        return done

    def _answered(self, done: Execution) -> list[Row]:
        return [list(row.values()) for row in self.rows_of(done.query_id)]


def _code(sql: str) -> Iterator[str]:
    return (line for line in sql.splitlines() if not line.startswith("--"))


def _literal(cell: str | None, kind: str) -> str:
    """A value, as a result of Athena spells it, as a literal of its type."""
    named = _TYPES.get(kind, kind)
    if cell is None:
        return f"cast(null as {named})"
    text = "'" + cell.replace("'", "''") + "'"
    return f"cast(json_parse({text}) as {named})" if kind.startswith("array") else f"cast({text} as {named})"
