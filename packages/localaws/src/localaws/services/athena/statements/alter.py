"""ALTER TABLE and MSCK REPAIR TABLE."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

from sqlglot.tokenizer_core import Token

from localaws.core.shapes import Document
from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Column, Outcome
from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.scan.storage import place
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.statements.create import columns
from localaws.services.athena.statements.row_writer import escaped
from localaws.services.athena.statements.token_reader import Reader

_INPUT = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")


@dataclass(slots=True)
class AlterTable:
    """ADD and DROP PARTITION, SET LOCATION, SET TBLPROPERTIES, ADD COLUMNS."""

    name: list[str]
    change: Callable[[Session, Table], None]
    substatement: str
    kind: str = "DDL"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "AlterTable":
        reader = Reader(sql, tokens[1:])
        reader.expect("TABLE")
        name = reader.name()
        change: Callable[[Session, Table], None]
        if reader.take("ADD", "COLUMNS"):
            added = columns(sql, reader)
            change = partial(_add_columns, added)
            what = "ALTER_TABLE_ADD_COLUMNS"
        elif reader.take("ADD"):
            add = _AddPartitions.read(reader)
            change = add.apply
            what = "ALTER_TABLE_ADD_PARTITION"
        elif reader.take("DROP"):
            drop = _DropPartitions.read(reader)
            change = drop.apply
            what = "ALTER_TABLE_DROP_PARTITION"
        elif reader.take("SET", "LOCATION"):
            location = reader.text()
            change = partial(_set_location, location)
            what = "ALTER_TABLE_SET_LOCATION"
        else:
            reader.expect("SET", "TBLPROPERTIES")
            pairs = reader.pairs()
            change = partial(_set_properties, pairs)
            what = "ALTER_TABLE_SET_TBLPROPERTIES"
        reader.end()
        return cls(name, change, what)

    def run(self, session: Session) -> Outcome:
        self.change(session, session.table(self.name))
        return Outcome()


@dataclass(slots=True)
class _AddPartitions:
    if_not_exists: bool
    partitions: list[tuple[dict[str, str], str | None]] = field(default_factory=list)

    @classmethod
    def read(cls, reader: Reader) -> "_AddPartitions":
        add = cls(reader.take("IF", "NOT", "EXISTS"))
        while reader.take("PARTITION"):
            values = {key.lower(): value for key, value in reader.pairs().items()}
            add.partitions.append((values, reader.text() if reader.take("LOCATION") else None))
        if not add.partitions:
            reader.refuse()
        return add

    def apply(self, session: Session, table: Table) -> None:
        locations = {}
        for spec, location in self.partitions:
            values = _in_order(table, spec)
            below = "/".join(f"{key}={escaped(value)}" for key, value in zip(table.keys, values, strict=True))
            locations[values] = location or place(table.location).below(below).uri
        existing = session.catalogue.add_partitions(table, locations)
        if existing and not self.if_not_exists:
            message = f"AlreadyExistsException(message:Partition already exists: {list(existing[0])})"
            raise QueryFailed("DDL", f"FAILED: Execution Error: {message}")


@dataclass(slots=True)
class _DropPartitions:
    if_exists: bool
    partitions: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def read(cls, reader: Reader) -> "_DropPartitions":
        drop = cls(reader.take("IF", "EXISTS"))
        while reader.take("PARTITION"):
            drop.partitions.append({key.lower(): value for key, value in reader.pairs().items()})
            reader.take(",")
        if not drop.partitions:
            reader.refuse()
        return drop

    def apply(self, session: Session, table: Table) -> None:
        there = {partition.values for partition in session.catalogue.partitions(table)}
        for spec in self.partitions:
            values = _in_order(table, spec)
            if values not in there:
                if self.if_exists:
                    continue
                raise QueryFailed("DDL", f"FAILED: SemanticException Partition not found ({spec})")
            session.catalogue.call(
                "DeletePartition", DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
            )


@dataclass(slots=True)
class Repair:
    """MSCK REPAIR TABLE: registers the key=value folders that the catalogue does not know."""

    name: list[str]
    kind: str = "DDL"
    substatement: str = "MSCK_REPAIR_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Repair":
        reader = Reader(sql, tokens[2:])
        reader.expect("TABLE")
        name = reader.name()
        reader.end()
        return cls(name)

    def run(self, session: Session) -> Outcome:
        table = session.table(self.name)
        root = place(table.location).folder()
        there = {partition.values for partition in session.catalogue.partitions(table)}
        fresh = {}
        for folder in session.storage.folders(root):
            parts = [part.partition("=") for part in folder.split("/")[: len(table.keys)]]
            if [part[0].lower() for part in parts] == list(table.keys):
                values = tuple(unquote(part[2]) for part in parts)
                if values not in there:
                    fresh[values] = root.below("/".join(folder.split("/")[: len(table.keys)])).uri
        if not fresh:
            return Outcome()
        session.catalogue.add_partitions(table, fresh)
        names = ["/".join(f"{key}={value}" for key, value in zip(table.keys, values, strict=True)) for values in fresh]
        lines = ["Partitions not in metastore:\t" + "\t".join(f"{table.name}:{name}" for name in names)]
        lines += [f"Repair: Added partition to metastore {table.name}:{name}" for name in names]
        return Outcome(columns=[Column("result", "string")], rows=iter([line] for line in lines))


def _in_order(table: Table, spec: dict[str, str]) -> tuple[str, ...]:
    if set(spec) != set(table.keys):
        raise QueryFailed(
            "DDL", f"FAILED: SemanticException partition spec {spec} doesn't contain all partition columns"
        )
    return tuple(spec[key] for key in table.keys)


def _update(session: Session, table: Table, changes: Document) -> None:
    current = {name: table.raw[name] for name in _INPUT if table.raw.get(name) is not None}
    session.catalogue.call("UpdateTable", DatabaseName=table.database, TableInput={**current, **changes})


def _set_location(location: str, session: Session, table: Table) -> None:
    _update(session, table, {"StorageDescriptor": {**table.storage, "Location": location}})


def _set_properties(pairs: dict[str, str], session: Session, table: Table) -> None:
    _update(session, table, {"Parameters": {**table.parameters, **pairs}})


def _add_columns(added: list[dict[str, str]], session: Session, table: Table) -> None:
    columns = [*(table.storage.get("Columns") or []), *added]
    _update(session, table, {"StorageDescriptor": {**table.storage, "Columns": columns}})
