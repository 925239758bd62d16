"""CREATE TABLE AS and UNLOAD on Trino."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Session
from localaws.services.athena.execution.trino.configuration import HIVE, ICEBERG, UNLOAD, unload_table
from localaws.services.athena.execution.trino.session import Text, TrinoSession
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.storage import Place, place
from localaws.services.athena.sql.failures import QueryFailed, SyntaxRefused
from localaws.services.athena.statements.token_reader import Reader
from localaws.services.athena.statements.trino import properties
from localaws.services.athena.statements.trino.properties import TableProperties, Value, qualified


@dataclass(slots=True)
class CreateTableAs:
    """CREATE TABLE [IF NOT EXISTS] name [WITH (...)] AS query [WITH [NO] DATA]."""

    name: list[str]
    if_not_exists: bool
    properties: dict[str, Value]
    sql: str
    start: int  # of the query in the text
    parameters: tuple[str, ...]
    kind: str = "DDL"
    substatement: str = "CREATE_TABLE_AS_SELECT"

    @classmethod
    def read(cls, sql: str, tokens: list[Token], parameters: Sequence[str]) -> "CreateTableAs":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens[1:])
        reader.expect("TABLE")
        if_not_exists = reader.take("IF", "NOT", "EXISTS")
        name = reader.name()
        if reader.take("COMMENT"):
            reader.text()
        with_ = properties.read(reader) if reader.take("WITH") else {}
        reader.expect("AS")
        if reader.at_end():
            reader.refuse()
        return cls(name, if_not_exists, with_, sql, reader.start, tuple(parameters))

    @property
    def external_location(self) -> str | None:
        """Of a table of Hive; the `location` of an Iceberg table is its own in every workgroup."""
        location = self.properties.get("external_location")
        return str(location) if location else None

    def run(self, session: Session) -> Outcome:
        trino = TrinoSession.of(session)
        described = TableProperties(self.properties)
        database, name = session.named(self.name)
        if session.catalogue.table(database, name) is not None:
            if self.if_not_exists:
                return Outcome(update_count=0)
            raise QueryFailed(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists"
            )
        location = self.external_location or str(self.properties.get("location") or "")
        folder = session.new_table_folder(location)
        if described.is_iceberg and not location:
            raise QueryFailed("INVALID_TABLE_PROPERTY", "Table location must be specified for an Iceberg table")
        _check_empty(session, folder, f"{database}.{name}")
        catalog = ICEBERG if described.is_iceberg else HIVE
        with_ = described.iceberg(folder.uri) if described.is_iceberg else described.hive(folder.uri)
        head = f"CREATE TABLE {qualified(catalog, database, name)} {with_} AS"
        answer = trino.run_to_end(Text.of(self.sql, self.start, head=head), self.parameters, described.session(catalog))
        return Outcome(update_count=answer.update_count, manifest=trino.objects_of(folder), location=folder.uri)


@dataclass(slots=True)
class Unload:
    """UNLOAD (query) TO 's3://...' WITH (...): a table that only this statement sees."""

    sql: str
    span: tuple[int, int]  # of the query in the text
    target: str
    properties: TableProperties
    parameters: tuple[str, ...]
    kind: str = "DML"
    substatement: str = "UNLOAD"

    @classmethod
    def read(cls, sql: str, tokens: list[Token], parameters: Sequence[str]) -> "Unload":
        """Raises SyntaxRefused, QueryFailed."""
        end = _closing(tokens)
        reader = Reader(sql, tokens[end + 1 :])
        reader.expect("TO")
        target = reader.text()
        with_ = properties.read(reader) if reader.take("WITH") else {}
        reader.end()
        if "format" not in with_:
            raise SyntaxRefused(1, 1, "UNLOAD needs a format property")
        span = (tokens[1].end + 1, tokens[end].start)
        return cls(sql, span, target, TableProperties(with_), tuple(parameters))

    def run(self, session: Session) -> Outcome:
        trino = TrinoSession.of(session)
        folder = place(self.target).folder()
        if not session.storage.is_empty(folder):
            raise QueryFailed("HIVE_PATH_ALREADY_EXISTS", f"Target directory for UNLOAD is not empty: {folder.uri}")
        table = qualified(HIVE, UNLOAD, unload_table(session.id))
        text = Text.of(self.sql, *self.span, head=f"CREATE TABLE {table} {self.properties.hive(folder.uri)} AS")
        answer = trino.run_to_end(text, self.parameters, self.properties.session(HIVE))
        objects = trino.objects_of(folder)
        scanned = session.scanned
        trino.run_to_end(Text("", f"DROP TABLE {table}"))
        session.scanned = scanned
        return Outcome(update_count=answer.update_count, manifest=objects)


def _check_empty(session: Session, folder: Place, table: str) -> None:
    if not session.storage.is_empty(folder):
        raise QueryFailed(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table '{table}' already exists: {folder.uri}. You may need to"
            f" manually clean the data at location '{folder.uri}' before retrying. Athena will not delete data in"
            " your account.",
        )


def _closing(tokens: list[Token]) -> int:
    """The place of the parenthesis that closes the query."""
    depth = 0
    for number in range(1, len(tokens)):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(tokens[number].token_type, 0)
        if depth == 0:
            if number == 1:
                break
            return number
    raise SyntaxRefused(1, 8, "mismatched input. Expecting: '('")
