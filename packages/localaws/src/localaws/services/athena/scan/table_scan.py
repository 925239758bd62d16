"""A base table of a statement made into a DuckDB view over the very files that the statement needs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.core.cloud import ObjectInfo
from localaws.core.shapes import Structure
from localaws.services.athena.scan import projection, pushdown
from localaws.services.athena.scan.catalogue import Catalogue, Partition, Table
from localaws.services.athena.scan.formats import Files, avro, compression, identifier, orc, parquet, quoted, text
from localaws.services.athena.scan.formats import json as json_format
from localaws.services.athena.scan.storage import Storage, place
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.lowering.expressions import Expressions
from localaws.services.athena.sql.lowering.queries import Lowering
from localaws.services.athena.sql.lowering.scope import Field, Scope
from localaws.services.athena.sql.python import registry
from localaws.services.athena.sql.trino import hive_types

HIDDEN = ("$path", "$file_size", "$file_modified_time")
_READERS = {
    **dict.fromkeys(json_format.SERDES, json_format),
    **dict.fromkeys(parquet.SERDES, parquet),
    **dict.fromkeys(text.SERDES, text),
    **dict.fromkeys(orc.SERDES, orc),
    **dict.fromkeys(avro.SERDES, avro),
}


@dataclass(slots=True)
class Scan:
    """One table as one statement reads it. `view` is the name under which DuckDB knows it."""

    number: int
    table: Table
    objects: list[tuple[ObjectInfo, str, Partition | None]] = field(default_factory=list)  # object, bucket, partition

    @property
    def view(self) -> str:
        return f"scan_{self.number}"

    @property
    def is_parquet(self) -> bool:
        return library(self.table.storage) in parquet.SERDES


class Scanner:
    """Finds files and makes views, for one statement."""

    def __init__(self, catalogue: Catalogue, storage: Storage, cursor: Any, scratch: Path) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._cursor = cursor
        self._scratch = scratch
        self.scans: list[Scan] = []

    def scan(self, table: Table, conditions: Sequence[exp.Expr], *, hidden: bool) -> Scan:
        """Make the view for a table of which only rows under `conditions` are wanted."""
        scan = Scan(len(self.scans), table)
        self.scans.append(scan)
        if not table.location and not table.keys:
            raise QueryFailed("HIVE_INVALID_METADATA", f"Table {table.database}.{table.name} has no location")
        if table.keys:
            for partition in self._selected_partitions(table, conditions):
                folder = place(partition.location or table.location)
                scan.objects += [(item, folder.bucket, partition) for item in self._storage.data_files(folder)]
        else:
            folder = place(table.location)
            scan.objects += [(item, folder.bucket, None) for item in self._storage.data_files(folder)]
        self._cursor.execute(f"create temp view {scan.view} as {self._relation(scan, hidden=hidden)}")
        return scan

    def _selected_partitions(self, table: Table, conditions: Sequence[exp.Expr]) -> list[Partition]:
        usable = [
            condition
            for condition in conditions
            if {column.name.lower() for column in condition.find_all(exp.Column)} <= set(table.keys)
        ]
        if projection.is_on(table):
            return projection.partitions(
                table,
                lambda names, rows: self._matching(table, names, rows, usable),
                lambda key: pushdown.named_values(usable, key),
            )
        partitions = self._catalogue.partitions(table, pushdown.expression(usable, table.keys))
        selected = set(self._matching(table, list(table.keys), [partition.values for partition in partitions], usable))
        return [partition for partition in partitions if partition.values in selected]

    def _matching(
        self, table: Table, names: list[str], rows: list[tuple[str, ...]], conditions: Sequence[exp.Expr]
    ) -> list[tuple[str, ...]]:
        """The values of `names` for which those conditions that speak of these keys alone may hold."""
        judged = [
            condition
            for condition in conditions
            if {column.name.lower() for column in condition.find_all(exp.Column)} <= set(names)
        ]
        if not judged or not rows:
            return rows
        keys = ", ".join(
            f"cast(values[{at}] as {hive_types.parse(table.keys[name]).duckdb}) as {identifier(name)}"
            for at, name in enumerate(names, start=1)
        )
        values = [[None if value == _NO_VALUE else value for value in row] for row in rows]
        try:
            where = " and ".join(_condition(condition, table) for condition in judged)
            if registry.mentioned(where):
                return rows  # such a condition is judged with the rows
            matches = self._cursor.execute(
                f"select number from (select number, {keys} from (select unnest($1::VARCHAR[][]) as values,"  # noqa: S608
                f" unnest(range({len(rows)})) as number)) where {where}",
                [values],
            ).fetchall()
        except (QueryFailed, _duckdb_error()):
            return rows  # a condition that cannot be judged here excludes nothing
        return [rows[number] for (number,) in matches]

    def _relation(self, scan: Scan, *, hidden: bool) -> str:
        columns = {name: hive_types.parse(kind) for name, kind in scan.table.columns.items()}
        keys = {name: hive_types.parse(kind) for name, kind in scan.table.keys.items()}
        groups: dict[str, list[tuple[ObjectInfo, str, Partition | None]]] = {}
        for entry in scan.objects:
            storage = (
                entry[2].storage if entry[2] is not None and entry[2].storage.get("SerdeInfo") else scan.table.storage
            )
            key = json.dumps([storage.get("SerdeInfo"), _codec(storage, entry[0].key)], sort_keys=True, default=str)
            groups.setdefault(key, []).append(entry)
        if not groups:
            _reader(scan.table)  # an unknown format is refused even where there is nothing to read
            names = [f"null::{kind.duckdb} as {identifier(name)}" for name, kind in {**columns, **keys}.items()]
            names += [f"null::VARCHAR as {identifier(name)}" for name in HIDDEN if hidden]
            return f"select {', '.join(names)} where false"
        parts = []
        for group, entries in enumerate(groups.values()):
            partition = entries[0][2]
            storage = partition.storage if partition and partition.storage.get("SerdeInfo") else scan.table.storage
            files = Files(
                objects=[entry[0] for entry in entries],
                columns=columns,
                serde=storage.get("SerdeInfo") or {},
                parameters=scan.table.parameters,
                scan=scan.number,
                group=group,
                scratch=self._scratch,
            )
            inner = _reader(scan.table, storage).relation(files)
            chosen = [identifier(name) for name in columns]
            chosen += [_per_file(entries, at, kind, name) for at, (name, kind) in enumerate(keys.items())]
            chosen += _hidden(entries) if hidden else []
            parts.append(f"select {', '.join(chosen)} from ({inner})")  # noqa: S608
        return " union all ".join(parts)


_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def library(storage: Structure) -> str:
    return str((storage.get("SerdeInfo") or {}).get("SerializationLibrary") or "")


def _reader(table: Table, storage: Structure | None = None) -> Any:
    name = library(storage or table.storage)
    if name not in _READERS:
        raise QueryFailed(
            "HIVE_UNSUPPORTED_FORMAT", f"Unable to create input format for {name or 'a table without SerDe'}"
        )
    return _READERS[name]


def _codec(storage: Structure, key: str) -> str:
    return "" if library(storage) in parquet.SERDES else compression(key)


def _per_file(
    entries: Sequence[tuple[ObjectInfo, str, Partition | None]], at: int, kind: hive_types.HiveType, name: str
) -> str:
    values = [entry[2].values[at] if entry[2] is not None else None for entry in entries]
    return _constant_by_file(values, kind.duckdb, name)


def _constant_by_file(values: Sequence[str | None], kind: str, name: str) -> str:
    literals = ["null" if value is None or value == _NO_VALUE else quoted(value) for value in values]
    if len(set(literals)) == 1:
        return f"cast({literals[0]} as {kind}) as {identifier(name)}"
    return f"cast([{', '.join(literals)}] as {kind}[])[file_index::INTEGER + 1] as {identifier(name)}"


def _hidden(entries: Sequence[tuple[ObjectInfo, str, Partition | None]]) -> list[str]:
    return [
        _constant_by_file([f"s3://{bucket}/{item.key}" for item, bucket, _ in entries], "VARCHAR", "$path"),
        _constant_by_file([str(item.size) for item, _, _ in entries], "BIGINT", "$file_size"),
        _constant_by_file(
            [item.modified.replace(tzinfo=None).isoformat() for item, _, _ in entries],
            "TIMESTAMP",
            "$file_modified_time",
        ),
    ]


def _condition(condition: exp.Expr, table: Table) -> str:
    """The engine's text of a condition over partition keys."""
    fields = [Field(name, hive_types.parse(kind).trino, identifier(name)) for name, kind in table.keys.items()]
    return f"({Expressions(Scope(fields), Lowering()).lower(condition.copy()).sql})"


def _duckdb_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def mentions_hidden(tree: exp.Expr) -> bool:
    return any(re.fullmatch(r"\$(path|file_size|file_modified_time)", node.name) for node in tree.find_all(exp.Column))
