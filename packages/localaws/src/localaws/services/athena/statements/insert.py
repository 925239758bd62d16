"""INSERT INTO."""

from dataclasses import dataclass

from sqlglot import exp

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.scan.formats import json as json_format
from localaws.services.athena.scan.formats import parquet, text
from localaws.services.athena.scan.storage import place
from localaws.services.athena.scan.table_scan import library
from localaws.services.athena.sql import hive_types
from localaws.services.athena.sql.dialect import SyntaxRefused
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.statements.row_writer import Format, write


@dataclass(slots=True)
class Insert:
    """INSERT INTO name [(columns)] query."""

    name: list[str]
    columns: list[str]
    query: exp.Query
    kind: str = "DML"
    substatement: str = "INSERT"

    @classmethod
    def of(cls, tree: exp.Insert) -> "Insert":
        target = tree.this
        columns = []
        if isinstance(target, exp.Schema):
            columns = [part.name.lower() for part in target.expressions]
            target = target.this
        if tree.args.get("overwrite") or not isinstance(target, exp.Table):
            raise SyntaxRefused(1, 8, "mismatched input 'OVERWRITE'. Expecting: 'INTO'")
        query = tree.expression
        if isinstance(query, exp.Values):
            query = exp.select("*").from_(exp.alias_(query, "_values", table=True))
        if not isinstance(query, exp.Query):
            raise SyntaxRefused(1, 1, "mismatched input. Expecting: <query>")
        return cls([part.name for part in target.parts], columns, query)

    def run(self, session: Session) -> Outcome:
        table = session.table(self.name)
        if table.is_view:
            raise QueryFailed("NOT_SUPPORTED", "Inserting into views is not supported")
        everything = {**table.columns, **table.keys}
        columns = self.columns or list(everything)
        unknown = [name for name in columns if name not in everything]
        if unknown:
            raise QueryFailed(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {unknown[0]}"
            )
        sql = session.plan(self.query)
        rows = session.cursor.sql(sql)
        if len(rows.columns) != len(columns):
            table_types = ", ".join(everything[name] for name in columns)
            query_types = ", ".join(map(hive_types.athena_name, rows.types))
            raise QueryFailed(
                "TYPE_MISMATCH",
                f"line 1:1: Insert query has mismatched column types: Table: [{table_types}], Query: [{query_types}]",
            )
        chosen = ", ".join(f"#{columns.index(name) + 1}" if name in columns else "null" for name in everything)
        types = {name: hive_types.parse(kind).duckdb for name, kind in everything.items()}
        locations = {part.values: part.location for part in session.catalogue.partitions(table)} if table.keys else {}
        written = write(
            session,
            f"select {chosen} from ({sql})",  # noqa: S608
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
