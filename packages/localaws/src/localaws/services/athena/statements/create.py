"""CREATE EXTERNAL TABLE and CREATE DATABASE."""

import re
from dataclasses import dataclass, field

from sqlglot.tokenizer_core import Token, TokenType

from localaws.core.shapes import Document
from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.statements.row_writer import Format
from localaws.services.athena.statements.token_reader import Reader

_HIVE = "org.apache.hadoop.hive"
# SerDe, input and output format of what CTAS does not write. No query reads RCFILE.
_STORED = {
    "ORC": tuple(f"{_HIVE}.ql.io.orc.{name}" for name in ("OrcSerde", "OrcInputFormat", "OrcOutputFormat")),
    "AVRO": (
        f"{_HIVE}.serde2.avro.AvroSerDe",
        f"{_HIVE}.ql.io.avro.AvroContainerInputFormat",
        f"{_HIVE}.ql.io.avro.AvroContainerOutputFormat",
    ),
    "RCFILE": (
        f"{_HIVE}.serde2.columnar.LazyBinaryColumnarSerDe",
        f"{_HIVE}.ql.io.RCFileInputFormat",
        f"{_HIVE}.ql.io.RCFileOutputFormat",
    ),
}
_LAZY = f"{_HIVE}.serde2.lazy.LazySimpleSerDe"
_ROW_MARKS = {
    "FIELDS": "field.delim",
    "COLLECTION": "collection.delim",
    "MAP": "mapkey.delim",
    "LINES": "line.delim",
}


@dataclass(slots=True)
class CreateDatabase:
    """CREATE DATABASE | SCHEMA [IF NOT EXISTS] name [COMMENT ..] [LOCATION ..] [WITH DBPROPERTIES (..)]."""

    name: str
    if_not_exists: bool
    properties: Document
    kind: str = "DDL"
    substatement: str = "CREATE_DATABASE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "CreateDatabase":
        reader = Reader(sql, tokens[2:])
        exists = reader.take("IF", "NOT", "EXISTS")
        name = reader.name()[-1].lower()
        properties: Document = {}
        while not reader.at_end():
            if reader.take("COMMENT"):
                properties["Description"] = reader.text()
            elif reader.take("LOCATION"):
                properties["LocationUri"] = reader.text()
            elif reader.take("WITH", "DBPROPERTIES"):
                properties["Parameters"] = reader.pairs()
            else:
                reader.refuse()
        return cls(name, exists, properties)

    def run(self, session: Session) -> Outcome:
        if session.catalogue.has_database(self.name):
            if self.if_not_exists:
                return Outcome()
            raise QueryFailed(
                "DDL", f"FAILED: Execution Error: AlreadyExistsException(message:Database {self.name} already exists)"
            )
        session.catalogue.call("CreateDatabase", DatabaseInput={"Name": self.name, **self.properties})
        return Outcome()


@dataclass(slots=True)
class CreateExternalTable:
    """CREATE EXTERNAL TABLE with Hive's clauses."""

    name: list[str]
    if_not_exists: bool
    columns: list[dict[str, str]]
    keys: list[dict[str, str]] = field(default_factory=list)
    bucket_columns: list[str] = field(default_factory=list)
    bucket_count: int = -1  # as Hive has it for a table without buckets
    comment: str | None = None
    serde: str | None = None
    serde_properties: dict[str, str] = field(default_factory=dict)
    stored_as: str = "TEXTFILE"
    formats: tuple[str, str] | None = None
    location: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    kind: str = "DDL"
    substatement: str = "CREATE_TABLE"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "CreateExternalTable":
        reader = Reader(sql, tokens[2:])
        reader.expect("TABLE")
        exists = reader.take("IF", "NOT", "EXISTS")
        table = cls(reader.name(), exists, [])
        table.columns = columns(sql, reader)
        while not reader.at_end():
            table._clause(sql, reader)
        if not table.location:
            raise SyntaxRefused(1, len(sql) + 1, "missing 'LOCATION'")
        return table

    def _clause(self, sql: str, reader: Reader) -> None:  # noqa: C901 - one branch a clause reads best
        if reader.take("COMMENT"):
            self.comment = re.sub(r"\s+", " ", reader.text())  # as Athena registers it
        elif reader.take("PARTITIONED", "BY"):
            self.keys = columns(sql, reader)
        elif reader.take("CLUSTERED", "BY"):
            self._buckets(reader)
        elif reader.take("ROW", "FORMAT", "SERDE"):
            self.serde = reader.text()
        elif reader.take("WITH", "SERDEPROPERTIES"):
            self.serde_properties.update(reader.pairs())
        elif reader.take("ROW", "FORMAT", "DELIMITED"):
            self.serde = _LAZY
            self._marks(reader)
        elif reader.take("STORED", "AS", "INPUTFORMAT"):
            first = reader.text()
            reader.expect("OUTPUTFORMAT")
            self.formats = (first, reader.text())
        elif reader.take("STORED", "AS"):
            self.stored_as = reader.name()[0].upper()
            if self.stored_as not in ("TEXTFILE", "PARQUET", *_STORED):
                raise not_supported(f"A table stored as {self.stored_as}")
        elif reader.take("LOCATION"):
            self.location = reader.text().rstrip("/")  # as Athena registers it
        elif reader.take("TBLPROPERTIES"):
            self.parameters = reader.pairs()
        else:
            reader.refuse()

    def _buckets(self, reader: Reader) -> None:
        """(column, ...) INTO number BUCKETS."""
        reader.expect("(")
        self.bucket_columns = [reader.name()[0].lower()]
        while reader.take(","):
            self.bucket_columns.append(reader.name()[0].lower())
        reader.expect(")")
        reader.expect("INTO")
        if not reader.peek().isdigit() or int(reader.peek()) == 0:
            reader.refuse()
        self.bucket_count = int(reader.next().text)
        reader.expect("BUCKETS")

    def _marks(self, reader: Reader) -> None:
        while reader.peek() in {*_ROW_MARKS, "ESCAPED", "NULL"}:
            if reader.take("NULL", "DEFINED", "AS"):
                self.serde_properties["serialization.null.format"] = reader.text()
                continue
            word = reader.peek()
            reader.expect(word)
            for filler in ("ITEMS", "KEYS", "TERMINATED"):
                reader.take(filler)
            reader.expect("BY")
            mark = reader.text()
            self.serde_properties["escape.delim" if word == "ESCAPED" else _ROW_MARKS[word]] = mark
            if word == "FIELDS":
                self.serde_properties["serialization.format"] = mark  # as Hive does

    def run(self, session: Session) -> Outcome:
        database, name = session.named(self.name)
        if session.catalogue.table(database, name) is not None:
            if self.if_not_exists:
                return Outcome()
            raise QueryFailed(
                "DDL", f"FAILED: Execution Error: AlreadyExistsException(message:Table {name} already exists)"
            )
        for column in [*self.columns, *self.keys]:
            hive_types.parse(column["Type"])
        names = {column["Name"] for column in self.columns}
        unknown = [column for column in self.bucket_columns if column not in names]
        if unknown:
            raise QueryFailed("DDL", f"FAILED: SemanticException [Error 10002]: Invalid column reference {unknown[0]}")
        session.catalogue.call("CreateTable", DatabaseName=database, TableInput=self._input(name))
        return Outcome()

    def _input(self, name: str) -> Document:
        storage: Document = dict(Format(name="PARQUET" if self.stored_as == "PARQUET" else "TEXTFILE").descriptor())
        stored = _STORED.get(self.stored_as)
        formats = self.formats or (stored[1:] if stored else None)
        if formats:
            storage["InputFormat"], storage["OutputFormat"] = formats
        usual = storage["SerdeInfo"]["SerializationLibrary"]
        library = self.serde or (stored[0] if stored else usual)
        storage["SerdeInfo"] = {
            "SerializationLibrary": library,
            "Parameters": {"serialization.format": "1", **self.serde_properties},
        }
        parameters = {"EXTERNAL": "TRUE", **self.parameters, **({"comment": self.comment} if self.comment else {})}
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": self.keys,
            "StorageDescriptor": {
                "Columns": self.columns,
                "Location": self.location,
                "BucketColumns": self.bucket_columns,
                "NumberOfBuckets": self.bucket_count,
                **storage,
            },
        }


def columns(sql: str, reader: Reader) -> list[dict[str, str]]:
    """(name type [COMMENT '...'], ...), types as Glue keeps them."""
    reader.expect("(")
    definitions: list[dict[str, str]] = []
    while True:
        column = {"Name": reader.name()[0].lower()}
        start = reader.start
        depth = 0
        while depth > 0 or reader.peek() not in (",", ")", "COMMENT", ""):
            token = reader.next()
            depth += _depth(token)
        column["Type"] = re.sub(r"\s+", "", sql[start : reader.start]).lower()
        if reader.take("COMMENT"):
            column["Type"] = re.sub(r"\s+", "", sql[start : sql.upper().index("COMMENT", start)]).lower()
            column["Comment"] = reader.text()
        definitions.append(column)
        if reader.take(")"):
            return definitions
        reader.expect(",")


def _depth(token: Token) -> int:
    if token.token_type in (TokenType.LT, TokenType.L_PAREN):
        return 1
    if token.token_type in (TokenType.GT, TokenType.R_PAREN):
        return -1
    return -token.text.count(">") if set(token.text) == {">"} else 0
