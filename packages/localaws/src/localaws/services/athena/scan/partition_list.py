"""`"table$partitions"`: the partitions of a table as rows of its keys ("SHOW PARTITIONS", "Listing partitions")."""

from localaws.services.athena.scan.catalogue import Catalogue, Table
from localaws.services.athena.scan.formats import identifier, quoted
from localaws.services.athena.sql.lowering.sources import Scanned
from localaws.services.athena.sql.trino import hive_types

SUFFIX = "$partitions"
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def relation(catalogue: Catalogue, table: Table, catalog: str) -> Scanned:
    """A row for each partition that the catalogue has."""
    kinds = {name: hive_types.parse(kind) for name, kind in table.keys.items()}
    rows = [
        "("
        + ", ".join(_cell(value, kind.duckdb) for value, kind in zip(part.values, kinds.values(), strict=True))
        + ")"
        for part in catalogue.partitions(table)
    ]
    empty = ", ".join(f"cast(null as {kind.duckdb})" for kind in kinds.values())
    source = f"values {', '.join(rows)}" if rows else f"select {empty} where false"
    listed = ", ".join(map(identifier, kinds))
    columns = [(name, kind.trino, False) for name, kind in kinds.items()]
    view = f"(select * from ({source}) as listed({listed}))"  # noqa: S608
    return Scanned(view, (catalog, table.database, table.name + SUFFIX), columns)


def _cell(value: str, kind: str) -> str:
    return f"cast({'null' if value == _NO_VALUE else quoted(value)} as {kind})"
