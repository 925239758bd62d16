"""INSERT INTO."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.scan.formats import json as json_format
from localaws.services.athena.scan.formats import parquet, text
from localaws.services.athena.scan.plan import Plan
from localaws.services.athena.scan.storage import place
from localaws.services.athena.scan.table_scan import library
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.binding import bound
from localaws.services.athena.sql.grammar.dialect import parse_query, without_semicolon
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.sql.trino.coercion import can_coerce
from localaws.services.athena.sql.trino.types import Type
from localaws.services.athena.sql.values.casting import cast
from localaws.services.athena.sql.values.conversion import convert
from localaws.services.athena.sql.values.values import Value
from localaws.services.athena.statements.row_writer import Format, write
from localaws.services.athena.statements.token_reader import Reader


@dataclass(slots=True)
class Insert:
    """INSERT INTO name [(columns)] query."""

    name: list[str]
    columns: list[str]
    query: exp.Query
    kind: str = "DML"
    substatement: str = "INSERT"

    @classmethod
    def read(cls, sql: str, tokens: list[Token], parameters: Sequence[str]) -> "Insert":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens)
        reader.expect("INSERT", "INTO")
        name = reader.name()
        columns = []
        if reader.peek() == "(" and not _opens_query(tokens, reader):
            reader.expect("(")
            columns.append(reader.next().text.lower())
            while reader.take(","):
                columns.append(reader.next().text.lower())
            reader.expect(")")
        query = bound(parse_query(without_semicolon(sql), reader.start), parameters)
        return cls(name, columns, query)

    def run(self, session: Session) -> Outcome:
        table = session.table(self.name)
        if table.is_view:
            raise QueryFailed("NOT_SUPPORTED", "Inserting into views is not supported")
        if table.storage.get("BucketColumns"):
            raise QueryFailed("NOT_SUPPORTED", "INSERT INTO is not supported on bucketed tables")
        everything = {**table.columns, **table.keys}
        columns = self.columns or list(everything)
        unknown = [name for name in columns if name not in everything]
        if unknown:
            raise QueryFailed(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {unknown[0]}"
            )
        plan = session.plan(self.query)
        kinds = {name: hive_types.parse(kind).trino for name, kind in everything.items()}
        turned = _turned(plan, [kinds[name] for name in columns])
        chosen = ", ".join(turned[columns.index(name)] if name in columns else "null" for name in everything)
        names = ", ".join(f"c{number}" for number in range(len(columns)))
        types = {name: hive_types.stored(kind) for name, kind in kinds.items()}
        locations = {part.values: part.location for part in session.catalogue.partitions(table)} if table.keys else {}
        written = write(
            session,
            f"select {chosen} from ({plan.sql}) as inserted({names})",  # noqa: S608
            types,
            keys=list(table.keys),
            form=_format(table),
            folder=place(table.location).folder(),
            existing=locations,
        )
        fresh = {values: uri for values, uri in written.partitions.items() if values not in locations}
        if fresh:
            session.catalogue.add_partitions(table, fresh)
        return Outcome(update_count=written.rows, manifest=written.objects)


def _opens_query(tokens: list[Token], reader: Reader) -> bool:
    """Whether the parenthesis that comes next is that of a query, not of a list of columns."""
    following = [token for token in tokens if token.start > reader.start and token.token_type != TokenType.L_PAREN]
    return bool(following) and following[0].text.upper() in ("SELECT", "WITH", "VALUES", "TABLE")


def _turned(plan: Plan, kinds: list[Type]) -> list[str]:
    """The query's columns as the table's types. Raises QueryFailed TYPE_MISMATCH."""
    if len(plan.columns) != len(kinds) or not all(map(_fits, plan.types, kinds)):
        table_types = ", ".join(map(str, kinds))
        query_types = ", ".join(map(str, plan.types))
        raise QueryFailed(
            "TYPE_MISMATCH",
            f"line 1:1: Insert query has mismatched column types: Table: [{table_types}], Query: [{query_types}]",
        )
    values = [Value(f"inserted.c{number}", kind) for number, kind in enumerate(plan.types)]
    return [
        (convert(value, kind) if can_coerce(value.type, kind) else cast(value, kind, (1, 1))).sql
        for value, kind in zip(values, kinds, strict=True)
    ]


def _fits(source: Type, target: Type) -> bool:
    """Whether Trino writes the type into a column: what it coerces, and text and times of any size."""
    if can_coerce(source, target):
        return True
    if source.name != target.name:
        return (source.name, target.name) in (("varchar", "char"), ("char", "varchar"))
    if source.children:
        return all(map(_fits, source.children, target.children))
    return source.name in ("varchar", "char", "timestamp", "decimal")


def _format(table: Table) -> Format:
    """How a table's own files are written."""
    serde = library(table.storage)
    if serde in parquet.SERDES:
        return Format(compression=str(table.parameters.get("parquet.compression") or "GZIP").upper())
    if serde in json_format.SERDES:
        return Format(name="JSON")
    if serde == text.LAZY:
        properties = (table.storage.get("SerdeInfo") or {}).get("Parameters") or {}
        return Format(name="TEXTFILE", delimiter=properties.get("field.delim") or "\x01")
    raise not_supported(f"INSERT into a table of {serde}")
