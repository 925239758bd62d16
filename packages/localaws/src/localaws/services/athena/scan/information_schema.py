"""information_schema: what the catalogue holds, as tables ("Query the AWS Glue Data Catalog")."""

from collections.abc import Callable, Iterator, Mapping

from localaws.services.athena.scan.catalogue import Catalogue, Table
from localaws.services.athena.scan.formats import identifier, quoted
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.lowering.sources import Scanned
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.sql.trino.types import BIGINT, VARCHAR

SCHEMA = "information_schema"
_PLACE = ("table_catalog", "table_schema", "table_name")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": (*_PLACE, "table_type"),
    "views": (*_PLACE, "view_definition"),
    "columns": (*_PLACE, "column_name", "ordinal_position", "column_default", "is_nullable", "data_type"),
}
Row = list[str | int | None]


def relation(catalogue: Catalogue, name: str, catalog: str, definition: Callable[[Table], str]) -> Scanned | None:
    """The rows of one of its tables, None where it has none of the name. `definition` gives a view's SQL."""
    columns = _COLUMNS.get(name)
    if columns is None:
        return None
    rows = [[catalog, *row] for row in _ROWS[name](catalogue, definition)]
    kinds = [BIGINT if column == "ordinal_position" else VARCHAR for column in columns]
    listed = ", ".join(identifier(column) for column in columns)
    empty = ", ".join(f"cast(null as {kind.duckdb})" for kind in kinds)
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    source = f"values {values}" if rows else f"select {empty} where false"
    view = f"(select * from ({source}) as listed({listed}))"  # noqa: S608
    described = [(column, kind, False) for column, kind in zip(columns, kinds, strict=True)]
    return Scanned(view, (catalog, SCHEMA, name), described)


def _literal(value: str | int | None) -> str:
    if value is None:
        return "cast(null as VARCHAR)"
    return f"cast({value} as BIGINT)" if isinstance(value, int) else quoted(value)


def _databases(catalogue: Catalogue) -> Iterator[str]:
    for database in catalogue.pages("GetDatabases", "DatabaseList"):
        yield str(database["Name"])


def _tables(catalogue: Catalogue) -> Iterator[Table]:
    for database in _databases(catalogue):
        for raw in catalogue.pages("GetTables", "TableList", DatabaseName=database):
            yield Table(database, str(raw["Name"]), raw)


def _schemata_rows(catalogue: Catalogue, _: Callable[[Table], str]) -> Iterator[Row]:
    for database in _databases(catalogue):
        yield [database]
    yield [SCHEMA]


def _table_rows(catalogue: Catalogue, _: Callable[[Table], str]) -> Iterator[Row]:
    for table in _tables(catalogue):
        yield [table.database, table.name, "VIEW" if table.is_view else "BASE TABLE"]
    for name in _COLUMNS:
        yield [SCHEMA, name, "BASE TABLE"]


def _view_rows(catalogue: Catalogue, definition: Callable[[Table], str]) -> Iterator[Row]:
    for table in _tables(catalogue):
        if table.is_view:
            yield [table.database, table.name, definition(table)]


def _column_rows(catalogue: Catalogue, _: Callable[[Table], str]) -> Iterator[Row]:
    for table in _tables(catalogue):
        for number, (name, kind) in enumerate({**table.columns, **table.keys}.items(), start=1):
            yield [table.database, table.name, name, number, None, "YES", _type_name(kind)]


def _type_name(text: str) -> str:
    try:
        return str(hive_types.parse(text).trino)
    except QueryFailed:
        return text  # of a table that no query can read


_ROWS: Mapping[str, Callable[[Catalogue, Callable[[Table], str]], Iterator[Row]]] = {
    "schemata": _schemata_rows,
    "tables": _table_rows,
    "views": _view_rows,
    "columns": _column_rows,
}
