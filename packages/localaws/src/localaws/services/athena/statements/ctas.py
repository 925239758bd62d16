"""CREATE TABLE AS SELECT."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from localaws.core.shapes import Document, Structure
from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.statements.row_writer import Format, settled_types, write

_KNOWN = {
    "format", "write_compression", "external_location", "partitioned_by", "bucketed_by", "bucket_count",
    "field_delimiter", "parquet_compression", "compression_level", "table_type", "is_external",
}  # fmt: skip


@dataclass(slots=True)
class CreateTableAs:
    """CREATE TABLE name WITH (...) AS query."""

    name: list[str]
    query: exp.Query
    properties: Structure
    if_not_exists: bool
    with_data: bool
    kind: str = "DDL"
    substatement: str = "CREATE_TABLE_AS_SELECT"

    @classmethod
    def of(cls, tree: exp.Expr, query: exp.Query | None = None) -> "CreateTableAs":
        """From the head of a CTAS and its query. Raises SyntaxRefused for a CREATE that is no CTAS."""
        if not isinstance(tree, exp.Create) or tree.kind != "TABLE" or not isinstance(tree.expression, exp.Query):
            raise SyntaxRefused(1, 8, "mismatched input. Expecting: 'EXTERNAL', 'TABLE ... AS'")
        table = tree.this
        query = query if query is not None else tree.expression
        properties = _properties(tree)
        no_data = any(isinstance(item, exp.WithDataProperty) and item.args.get("no") for item in _listed(tree))
        return cls(
            [part.name for part in table.parts], query, properties, bool(tree.args.get("exists")), with_data=not no_data
        )

    @property
    def external_location(self) -> str | None:
        return self.properties.get("external_location")

    def run(self, session: Session) -> Outcome:
        database, name = session.named(self.name)
        if session.catalogue.table(database, name) is not None:
            if self.if_not_exists:
                return Outcome(update_count=0)
            raise QueryFailed(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists"
            )
        if not session.catalogue.has_database(database):
            raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        folder = session.new_table_folder(self.external_location)
        if not session.storage.is_empty(folder):
            raise QueryFailed(
                "HIVE_PATH_ALREADY_EXISTS",
                f"Target directory for table '{database}.{name}' already exists: {folder.uri}. You may need to"
                f" manually clean the data at location '{folder.uri}' before retrying. Athena will not delete data in"
                " your account.",
            )
        plan = session.plan(self.query)
        sql = plan.sql
        types = settled_types(plan)
        described = dict(zip(types, (hive_types.hive_name(kind) for kind in plan.types), strict=True))
        keys = self._keys(list(types))
        form = self._format()
        if not self.with_data:
            sql = f"select * from ({sql}) limit 0"  # noqa: S608
        written = write(session, sql, types, keys=keys, form=form, folder=folder)
        self._register(session, (database, name), described, keys, form, folder.uri, written.partitions)
        return Outcome(update_count=written.rows, manifest=written.objects, location=folder.uri)

    def _keys(self, columns: list[str]) -> list[str]:
        keys = [key.lower() for key in self.properties.get("partitioned_by") or []]
        if not keys:
            return []
        if columns[-len(keys) :] != keys or len(keys) >= len(columns):
            raise QueryFailed(
                "HIVE_COLUMN_ORDER_MISMATCH",
                "Partition keys must be the last columns in the table and in the same order as the table properties:"
                f" [{', '.join(keys)}]",
            )
        return keys

    def _format(self) -> Format:
        compression = self.properties.get("write_compression") or self.properties.get("parquet_compression") or "GZIP"
        return Format(
            name=str(self.properties.get("format") or "PARQUET").upper(),
            compression=str(compression).upper(),
            delimiter=str(self.properties.get("field_delimiter") or "\x01"),
        )

    def _register(
        self,
        session: Session,
        name: tuple[str, str],
        described: Mapping[str, str],
        keys: list[str],
        form: Format,
        location: str,
        partitions: Mapping[tuple[str, ...], str],
    ) -> None:
        columns = [{"Name": column, "Type": kind} for column, kind in described.items()]
        data = columns[: len(columns) - len(keys)]
        parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "classification": form.name.lower()}
        if form.name == "PARQUET":
            parameters["parquet.compression"] = form.compression
        table = {
            "Name": name[1],
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": columns[len(data) :],
            "StorageDescriptor": {
                "Columns": data,
                "Location": location,
                "NumberOfBuckets": int(self.properties.get("bucket_count") or -1),
                "BucketColumns": list(self.properties.get("bucketed_by") or []),
                **form.descriptor(),
            },
        }
        session.catalogue.call("CreateTable", DatabaseName=name[0], TableInput=table)
        if partitions:
            session.catalogue.add_partitions(session.table(name), partitions)


def _listed(tree: exp.Create) -> list[exp.Expr]:
    properties = tree.args.get("properties")
    return list(properties.expressions) if properties else []


def _properties(tree: exp.Create) -> Document:
    properties: Document = {}
    for item in _listed(tree):
        if isinstance(item, exp.FileFormatProperty):
            properties["format"] = item.this.name
        elif isinstance(item, exp.PartitionedByProperty):
            properties["partitioned_by"] = _value(item.this)
        elif isinstance(item, exp.Property) and type(item) is exp.Property:
            properties[item.name.lower()] = _value(item.args["value"])
        elif not isinstance(item, exp.WithDataProperty):
            raise not_supported(f"The table property {item.sql()}")
    unknown = set(properties) - _KNOWN
    if unknown:
        raise QueryFailed(
            "INVALID_TABLE_PROPERTY", f"Table properties [{', '.join(sorted(unknown))}] are not supported."
        )
    if str(properties.get("table_type") or "HIVE").upper() != "HIVE":
        raise not_supported("An Iceberg table")
    return properties


def _value(node: exp.Expr) -> Any:
    if isinstance(node, exp.Array | exp.Tuple | exp.Schema):
        return [part.name for part in node.expressions]
    if isinstance(node, exp.Literal) and not node.is_string:
        return int(node.name)
    return node.name
