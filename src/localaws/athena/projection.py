"""Partition projection: partitions computed from the table's properties instead of read from the catalogue."""

from collections.abc import Sequence

from sqlglot import exp

from localaws.athena.catalogue import Partition, Table
from localaws.athena.failures import not_supported


def is_on(table: Table) -> bool:
    return table.parameters.get("projection.enabled", "").lower() == "true"


def partitions(table: Table, conditions: Sequence[exp.Expr]) -> list[Partition]:
    raise not_supported(f"Partition projection (table {table.name}, {len(conditions)} conditions)")
