"""SHOW and DESCRIBE: text answers from the catalogue."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.map_order import entries
from localaws.services.athena.results.outcome import Column, Outcome
from localaws.services.athena.scan.catalogue import Table
from localaws.services.athena.scan.relations import view_definition
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.statements.token_reader import Reader

_USUAL_FORMAT = "1"  # of every SerDe, which SHOW CREATE TABLE leaves out
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(slots=True)
class Show:
    """SHOW TABLES | VIEWS | DATABASES | SCHEMAS | PARTITIONS | COLUMNS | CREATE TABLE | CREATE VIEW | TBLPROPERTIES."""

    heading: str
    lines: Callable[[Session], Iterator[str]]
    substatement: str
    kind: str = "UTILITY"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Show":
        reader = Reader(sql, tokens[1:])
        show = cls._of(reader)
        reader.end()
        return show

    @classmethod
    def _of(cls, reader: Reader) -> "Show":
        if reader.take("DATABASES") or reader.take("SCHEMAS"):
            pattern = _pattern(reader)
            return cls("database_name", lambda session: _databases(session, pattern), "SHOW_DATABASES")
        for word in ("TABLES", "VIEWS"):
            if reader.take(word):
                return cls._relations(reader, word)
        return cls._about_table(reader)

    @classmethod
    def _relations(cls, reader: Reader, word: str) -> "Show":
        home = reader.name()[-1] if reader.take("IN") or reader.take("FROM") else None
        pattern = _pattern(reader)
        views = word == "VIEWS"
        return cls(
            "views" if views else "tab_name", lambda session: _tables(session, home, pattern, views), f"SHOW_{word}"
        )

    @classmethod
    def _about_table(cls, reader: Reader) -> "Show":
        if reader.take("PARTITIONS"):
            name = reader.name()
            return cls("partition", lambda session: _partitions(session, name), "SHOW_PARTITIONS")
        if reader.take("COLUMNS"):
            if not reader.take("IN"):
                reader.expect("FROM")
            name = reader.name()
            return cls(
                "field", lambda session: (f"{column:<20}" for column in _all(session.table(name))), "SHOW_COLUMNS"
            )
        if reader.take("TBLPROPERTIES"):
            name = reader.name()
            return cls(
                "prpt_name",
                lambda session: (f"{key}\t{value}" for key, value in sorted(session.table(name).parameters.items())),
                "SHOW_TBLPROPERTIES",
            )
        if reader.take("CREATE", "VIEW"):
            name = reader.name()
            return cls("create view", lambda session: _create_view(session, name), "SHOW_CREATE_VIEW")
        reader.expect("CREATE", "TABLE")
        name = reader.name()
        return cls("createtab_stmt", lambda session: _create_table(session.table(name), name), "SHOW_CREATE_TABLE")

    def run(self, session: Session) -> Outcome:
        return Outcome(columns=[Column(self.heading, "string")], rows=([line] for line in self.lines(session)))


@dataclass(slots=True)
class Describe:
    """DESCRIBE table or view."""

    name: list[str]
    kind: str = "UTILITY"
    substatement: str = "DESCRIBE_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Describe":
        reader = Reader(sql, tokens[1:])
        for word in ("EXTENDED", "FORMATTED"):
            reader.take(word)
        name = reader.name()
        reader.end()
        return cls(name)

    def run(self, session: Session) -> Outcome:
        table = session.table(self.name)
        lines = [_described(table, name, kind) for name, kind in _all(table).items()]
        if table.keys:
            lines += [
                "\t \t ",
                "# Partition Information\t \t ",
                f"{'# col_name':<22}\t{'data_type':<20}\t{'comment':<20}",
                "\t \t ",
            ]
            lines += [_described(table, name, kind) for name, kind in table.keys.items()]
        columns = [Column("col_name", "string"), Column("data_type", "string"), Column("comment", "string")]
        return Outcome(columns=columns, rows=(line.split("\t") for line in lines))


def _described(table: Table, name: str, kind: str) -> str:
    return f"{name:<20}\t{kind:<20}\t{table.comments.get(name, ''):<20}"


def _all(table: Table) -> dict[str, str]:
    return {**table.columns, **table.keys}


def _pattern(reader: Reader) -> re.Pattern[str]:
    """A Hive pattern: * for anything, | for or."""
    reader.take("LIKE")
    text = ".*" if reader.at_end() else reader.text()
    return re.compile(re.sub(r"(?<!\.)\*", ".*", text), re.IGNORECASE)


def _databases(session: Session, pattern: re.Pattern[str]) -> Iterator[str]:
    names = sorted(item["Name"] for item in session.catalogue.pages("GetDatabases", "DatabaseList"))
    return (name for name in names if pattern.fullmatch(name))


def _tables(session: Session, home: str | None, pattern: re.Pattern[str], views: bool) -> Iterator[str]:
    database = (home or session.database or "").lower()
    if not database:
        raise QueryFailed("MISSING_SCHEMA_NAME", "line 1:1: Schema must be specified when session schema is not set")
    tables = list(session.catalogue.pages("GetTables", "TableList", DatabaseName=database))
    names = sorted(item["Name"] for item in tables if not views or item.get("TableType") == "VIRTUAL_VIEW")
    return (name for name in names if pattern.fullmatch(name))


def _partitions(session: Session, name: list[str]) -> Iterator[str]:
    table = session.table(name)
    if not table.keys:
        raise QueryFailed("DDL", f"FAILED: Execution Error: Table {table.name} is not a partitioned table")
    for values in sorted(partition.values for partition in session.catalogue.partitions(table)):
        yield "/".join(f"{key}={value}" for key, value in zip(table.keys, values, strict=True))


def _create_view(session: Session, name: list[str]) -> Iterator[str]:
    table = session.table(name)
    if not table.is_view:
        raise QueryFailed("NOT_SUPPORTED", f"Relation '{table.database}.{table.name}' is a table, not a view")
    yield from f"CREATE VIEW {table.database}.{table.name} AS\n{view_definition(table)[0]}".split("\n")


def _create_table(table: Table, name: list[str]) -> Iterator[str]:
    """The statement that creates the table, which has its database only where the request has it."""
    if table.is_view:
        raise QueryFailed("NOT_SUPPORTED", f"Relation '{table.database}.{table.name}' is a view, not a table")
    yield f"CREATE EXTERNAL TABLE `{'.'.join(name[-2:]).lower()}`("
    yield from _listing(table.columns, table.comments)
    if table.parameters.get("comment"):
        yield f"COMMENT {_quoted(table.parameters['comment'])}"
    if table.keys:
        yield "PARTITIONED BY ( "
        yield from _listing(table.keys, table.comments)
    yield from _buckets(table)
    serde = table.storage.get("SerdeInfo") or {}
    yield "ROW FORMAT SERDE "
    yield f"  '{serde.get('SerializationLibrary', '')}' "
    settings = dict(serde.get("Parameters") or {})
    if settings.get("serialization.format") == _USUAL_FORMAT:
        del settings["serialization.format"]
    if settings:
        yield "WITH SERDEPROPERTIES ( "
        yield from _pairs(settings)
    yield "STORED AS INPUTFORMAT "
    yield f"  '{table.storage.get('InputFormat', '')}' "
    yield "OUTPUTFORMAT "
    yield f"  '{table.storage.get('OutputFormat', '')}'"
    yield "LOCATION"
    yield f"  '{table.location}'"
    properties = {key: value for key, value in table.parameters.items() if key not in ("EXTERNAL", "comment")}
    if properties:
        yield "TBLPROPERTIES ("
        yield from _pairs(properties)


def _buckets(table: Table) -> Iterator[str]:
    columns = table.storage.get("BucketColumns") or []
    if not columns:
        return
    yield "CLUSTERED BY ( "
    yield from (f"  {column}, " for column in columns[:-1])
    yield f"  {columns[-1]}) "
    yield f"INTO {table.storage['NumberOfBuckets']} BUCKETS"


def _listing(columns: dict[str, str], comments: Mapping[str, str]) -> Iterator[str]:
    last = len(columns) - 1
    for number, (name, kind) in enumerate(columns.items()):
        comment = f" COMMENT {_quoted(comments[name])}" if name in comments else ""
        yield f"  `{name}` {kind}{comment}{')' if number == last else ', '}"


def _quoted(text: str) -> str:
    """A string of Hive's DDL, which reads back as the text."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + _CONTROL.sub(_escape, escaped) + "'"


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04x}"


def _pairs(pairs: Mapping[str, str]) -> Iterator[str]:
    items = entries(pairs, "varchar")  # Hive keeps properties in a HashMap of Java
    for number, (key, value) in enumerate(items):
        yield f"  {_quoted(key)}={_quoted(value)}{')' if number == len(items) - 1 else ', '}"
