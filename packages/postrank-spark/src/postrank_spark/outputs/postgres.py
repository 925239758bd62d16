"""Rows into Postgres: a table an output in the schema `stream`, one row per key, its newest version."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from postrank_spark.closing import Emission
from postrank_spark.errors import JobError
from postrank_spark.queries import Query

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TYPES = {
    "string": "text",
    "bigint": "bigint",
    "int": "integer",
    "double": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}
_ROWS = 5_000  # of one transaction


@dataclass(frozen=True, slots=True)
class Postgres:
    """`dsn` holds a password: it is kept out of representations, and reaches executors inside the task alone."""

    dsn: str = field(repr=False)

    def prepare(self, query: Query, rows: "DataFrame") -> None:
        """Create the schema and the output's table where they are missing. Raises JobError."""
        columns = [(column.name, column.dataType.simpleString()) for column in rows.schema]
        definitions = [f"{name} {_TYPES[kind]}" for name, kind in columns]
        definitions += ["final boolean not null", f"primary key ({', '.join(query.key)})"]
        with _connected(self.dsn) as connection:
            connection.execute("create schema if not exists stream")
            connection.execute(f"create table if not exists stream.{query.output} ({', '.join(definitions)})")
            table = connection.execute(f"select * from stream.{query.output} limit 0")  # noqa: S608 - a checked name
            existing = {column.name for column in table.description}
        if missing := {name for name, _ in columns} - existing:
            raise JobError(
                f"{query.file}: the table stream.{query.output} lacks {', '.join(sorted(missing))}: drop the table, or"
                " give the query another output"
            )

    def write(self, query: Query, emission: Emission, batch: str) -> None:  # noqa: ARG002 - rows are known by key
        if query.top is None:  # open windows have no first rows yet
            emission.changed.foreachPartition(_upsert(self.dsn, query, emission.changed.columns, final=False))
        emission.closed.foreachPartition(_upsert(self.dsn, query, emission.closed.columns, final=True))


def _upsert(dsn: str, query: Query, columns: Sequence[str], *, final: bool) -> Callable[[Iterable[Any]], None]:
    """A function that writes the rows of one partition."""
    names = [*columns, "final"]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names if name not in query.key)
    table = f"stream.{query.output}"
    statement = (
        f"insert into {table} ({', '.join(names)}) values ({', '.join(['%s'] * len(names))})"  # noqa: S608 - checked
        f" on conflict ({', '.join(query.key)}) do update set {updates}"
    )
    if not final:  # what a late row changes stays final: the same batch says so next
        statement += f" where not {table}.final"

    def write(rows: Iterable[Any]) -> None:
        rest = iter(rows)
        while some := list(islice(rest, _ROWS)):
            with _connected(dsn) as connection, connection.cursor() as cursor:
                cursor.executemany(statement, list(_values(some, final=final)))

    return write


def _values(rows: Iterable[Any], *, final: bool) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (*row, final)


def _connected(dsn: str) -> Any:
    """A connection in UTC. Raises JobError without the password."""
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise JobError("the package psycopg is not installed: run `pip install 'postrank-spark[postgres]'`") from error
    try:
        return psycopg.connect(dsn, options="-c timezone=UTC", connect_timeout=10)
    except psycopg.OperationalError as error:
        raise JobError(f"Postgres cannot be reached: {str(error).splitlines()[0]}") from None
