"""Athena's statements for Iceberg tables in Trino's words: CREATE TABLE, ALTER, DROP, OPTIMIZE, VACUUM."""

import re
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Session
from localaws.services.athena.execution.trino.configuration import ICEBERG
from localaws.services.athena.execution.trino.session import Text, TrinoSession
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.scan.storage import place
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.sql.trino.hive_types import HiveType
from localaws.services.athena.sql.trino.types import Type, identifier
from localaws.services.athena.statements.alter import AlterTable
from localaws.services.athena.statements.create import columns
from localaws.services.athena.statements.drop import Drop
from localaws.services.athena.statements.token_reader import Reader
from localaws.services.athena.statements.trino.properties import array, literal, qualified

_SNAPSHOT_AGE = 432_000  # seconds; "VACUUM", vacuum_max_snapshot_age_seconds
# "CREATE TABLE", table properties of Iceberg tables.
_KNOWN = {
    "table_type", "format", "write_compression", "vacuum_min_snapshots_to_keep", "vacuum_max_snapshot_age_seconds",
    "vacuum_max_metadata_files_to_keep", "optimize_rewrite_data_file_threshold",
    "optimize_rewrite_delete_file_threshold", "write_target_data_file_size_bytes", "compression_level",
}  # fmt: skip


def is_iceberg(table: Table | None) -> bool:
    return table is not None and str(table.parameters.get("table_type")).upper() == "ICEBERG"


@dataclass(slots=True)
class CreateIceberg:
    """CREATE TABLE name (columns) [PARTITIONED BY (transforms)] LOCATION '...' TBLPROPERTIES ('table_type' = ...)."""

    name: list[str]
    if_not_exists: bool
    columns: list[dict[str, str]]
    transforms: list[str]
    location: str
    comment: str | None
    properties: dict[str, str]
    kind: str = "DDL"
    substatement: str = "CREATE_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "CreateIceberg":
        """Raises SyntaxRefused, QueryFailed."""
        reader = Reader(sql, tokens[1:])
        reader.expect("TABLE")
        if_not_exists = reader.take("IF", "NOT", "EXISTS")
        create = cls(reader.name(), if_not_exists, columns(sql, reader), [], "", None, {})
        while not reader.at_end():
            if reader.take("COMMENT"):
                create.comment = reader.text()
            elif reader.take("PARTITIONED", "BY"):
                create.transforms = _transforms(reader)
            elif reader.take("LOCATION"):
                create.location = reader.text()
            elif reader.take("TBLPROPERTIES"):
                create.properties = {name.lower(): value for name, value in reader.pairs().items()}
            else:
                reader.refuse()
        create._check()
        return create

    def _check(self) -> None:
        if self.properties.get("table_type", "").upper() != "ICEBERG":
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY", "line 1:8: mismatched input 'TABLE'. Expecting: 'EXTERNAL', or table_type"
            )
        if not self.location:
            raise QueryFailed("INVALID_TABLE_PROPERTY", "Table location must be specified for an Iceberg table")
        if unknown := set(self.properties) - _KNOWN:
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY",
                f"Unsupported table property key: {', '.join(sorted(unknown))}",
            )

    def run(self, session: Session) -> Outcome:
        database, name = session.named(self.name)
        if session.catalogue.table(database, name) is not None:
            if self.if_not_exists:
                return Outcome()
            raise QueryFailed("TABLE_ALREADY_EXISTS", f"line 1:1: Table '{database}.{name}' already exists")
        definitions = ", ".join(_definition(column) for column in self.columns)
        parts = [
            f"location = {literal(place(self.location).uri.rstrip('/'))}",
            f"format = {literal(self.properties.get('format', 'PARQUET').upper())}",
        ]
        if self.transforms:
            parts.append(f"partitioning = {array(self.transforms)}")
        comment = f" COMMENT {literal(self.comment)}" if self.comment else ""
        table = qualified(ICEBERG, database, name)
        sql = f"CREATE TABLE {table} ({definitions}){comment} WITH ({', '.join(parts)})"
        codec = self.properties.get("write_compression", "ZSTD").upper()
        TrinoSession.of(session).run_to_end(Text("", sql), (), {f"{ICEBERG}.compression_codec": codec})
        self._keep_properties(session, database, name)
        return Outcome()

    def _keep_properties(self, session: Session, database: str, name: str) -> None:
        """Store in the catalogue what VACUUM and OPTIMIZE go by."""
        chosen = {key: value for key, value in self.properties.items() if key not in ("table_type", "format")}
        if chosen:
            set_parameters(session, session.table([database, name]), chosen)


def _definition(column: dict[str, str]) -> str:
    comment = f" COMMENT {literal(column['Comment'])}" if column.get("Comment") else ""
    return f"{identifier(column['Name'])} {_type(hive_types.parse(column['Type']))}{comment}"


def _type(kind: HiveType) -> str:
    """The type of a column of Iceberg: timestamps have microseconds there, text has no length."""
    return _spelled(kind.trino)


def _spelled(kind: Type) -> str:
    match kind.name:
        case "timestamp":
            return "timestamp(6)"
        case "varchar" | "char":
            return "varchar"
        case "array" | "map":
            return f"{kind.name}({', '.join(map(_spelled, kind.children))})"
        case "row":
            pairs = zip(kind.fields, kind.children, strict=True)
            fields = [f"{identifier(str(name))} {_spelled(child)}" for name, child in pairs]
            return f"row({', '.join(fields)})"
        case "tinyint" | "smallint":
            return "integer"
    return str(kind)


def _transforms(reader: Reader) -> list[str]:
    """(column, year(column), bucket(16, column), ...) as Trino's `partitioning` has them."""
    reader.expect("(")
    transforms: list[str] = []
    while True:
        word = reader.next().text
        if reader.take("("):
            arguments = [reader.next().text]
            while reader.take(","):
                arguments.append(reader.next().text)
            reader.expect(")")
            # Athena states the number first, Trino last.
            transforms.append(f"{word.lower()}({', '.join(_quoted(argument) for argument in arguments[::-1])})")
        else:
            transforms.append(_quoted(word))
        if reader.take(")"):
            return transforms
        reader.expect(",")


def _quoted(name: str) -> str:
    return name if name.isdigit() else identifier(name.lower())


@dataclass(slots=True)
class Optimize:
    """OPTIMIZE name REWRITE DATA USING BIN_PACK [WHERE predicate]."""

    name: list[str]
    sql: str
    start: int  # of WHERE in the text
    kind: str = "DML"
    substatement: str = "OPTIMIZE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Optimize":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens[1:])
        name = reader.name()
        reader.expect("REWRITE", "DATA", "USING", "BIN_PACK")
        if not reader.at_end() and reader.peek() != "WHERE":
            reader.refuse()
        return cls(name, sql, reader.start)

    def run(self, session: Session) -> Outcome:
        table = _iceberg(session, self.name, "OPTIMIZE")
        head = f"ALTER TABLE {qualified(ICEBERG, table.database, table.name)} EXECUTE optimize"
        TrinoSession.of(session).run_to_end(Text.of(self.sql, self.start, head=head))
        return Outcome()


@dataclass(slots=True)
class Vacuum:
    """VACUUM name: expire snapshots, then remove files that no snapshot refers to."""

    name: list[str]
    kind: str = "DML"
    substatement: str = "VACUUM"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Vacuum":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens[1:])
        name = reader.name()
        reader.end()
        return cls(name)

    def run(self, session: Session) -> Outcome:
        table = _iceberg(session, self.name, "VACUUM")
        age = str(table.parameters.get("vacuum_max_snapshot_age_seconds") or _SNAPSHOT_AGE)
        if not age.isdigit():
            raise QueryFailed("INVALID_TABLE_PROPERTY", f"vacuum_max_snapshot_age_seconds is no number: {age}")
        name = qualified(ICEBERG, table.database, table.name)
        trino = TrinoSession.of(session)
        for procedure in ("expire_snapshots", "remove_orphan_files"):
            trino.run_to_end(Text("", f"ALTER TABLE {name} EXECUTE {procedure}(retention_threshold => '{age}s')"))
        return Outcome()


def _iceberg(session: Session, name: list[str], what: str) -> Table:
    table = session.table(name)
    if not is_iceberg(table):
        raise QueryFailed("NOT_SUPPORTED", f"{what} is only supported for Iceberg tables")
    return table


@dataclass(slots=True)
class DropTable:
    """DROP TABLE: of an Iceberg table with its data, of others in the catalogue only."""

    drop: Drop

    kind: str = "DDL"
    substatement: str = "DROP_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "DropTable":
        """Raises SyntaxRefused."""
        return cls(Drop.read(sql, tokens))

    def run(self, session: Session) -> Outcome:
        database, name = session.named(self.drop.name)
        if not is_iceberg(session.catalogue.table(database, name)):
            return self.drop.run(session)
        TrinoSession.of(session).run_to_end(Text("", f"DROP TABLE {qualified(ICEBERG, database, name)}"))
        return Outcome()


@dataclass(slots=True)
class AlterIceberg:
    """ALTER TABLE: columns of an Iceberg table change in its metadata, those of others in the catalogue."""

    name: list[str]
    changes: list[str]  # what follows ALTER TABLE name, in Trino's words
    other: AlterTable | None  # the statement for tables that are not Iceberg's
    kind: str = "DDL"
    substatement: str = "ALTER_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "AlterIceberg | AlterTable":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens[1:])
        reader.expect("TABLE")
        name = reader.name()
        if reader.take("ADD", "COLUMNS"):
            changes = [f"ADD COLUMN {_definition(column)}" for column in columns(sql, reader)]
            return cls(name, changes, AlterTable.read(sql, tokens))
        if reader.take("DROP", "COLUMN"):
            dropped = reader.next().text.lower()
            reader.end()
            return cls(name, [f"DROP COLUMN {identifier(dropped)}"], None)
        if reader.take("CHANGE"):
            reader.take("COLUMN")
            return cls(name, _change(sql, reader), None)
        return AlterTable.read(sql, tokens)

    def run(self, session: Session) -> Outcome:
        table = session.table(self.name)
        if not is_iceberg(table):
            if self.other is None:
                raise QueryFailed("NOT_SUPPORTED", "This change of columns is only supported for Iceberg tables")
            return self.other.run(session)
        name = qualified(ICEBERG, table.database, table.name)
        for change in self.changes:
            TrinoSession.of(session).run_to_end(Text("", f"ALTER TABLE {name} {change}"))
        return Outcome()


def _change(sql: str, reader: Reader) -> list[str]:
    """CHANGE [COLUMN] old new type: a new name, and a wider type."""
    old = reader.next().text.lower()
    new = reader.next().text.lower()
    start = reader.start
    depth = 0
    while not reader.at_end() and (depth or reader.peek() != "COMMENT"):
        token = reader.next()
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
    kind = _type(hive_types.parse(re.sub(r"\s+", "", sql[start : reader.start])))
    if reader.take("COMMENT"):
        reader.text()
    reader.end()
    renamed = [f"RENAME COLUMN {identifier(old)} TO {identifier(new)}"] if old != new else []
    return [*renamed, f"ALTER COLUMN {identifier(new)} SET DATA TYPE {kind}"]


def set_parameters(session: Session, table: Table, parameters: dict[str, str]) -> None:
    """Add parameters to a table of the catalogue."""
    names = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType")
    described = {name: table.raw[name] for name in names if name in table.raw}
    session.catalogue.call(
        "UpdateTable",
        DatabaseName=table.database,
        TableInput={**described, "Parameters": {**table.parameters, **parameters}},
    )
