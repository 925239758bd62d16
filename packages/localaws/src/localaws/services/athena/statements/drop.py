"""DROP TABLE, VIEW, DATABASE."""

from dataclasses import dataclass

from sqlglot.tokenizer_core import Token

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.statements.token_reader import Reader


@dataclass(slots=True)
class Drop:
    """Takes a name out of the catalogue; objects stay, as tables of Athena are external."""

    what: str
    name: list[str]
    if_exists: bool
    cascade: bool = False
    kind: str = "DDL"

    @property
    def substatement(self) -> str:
        return f"DROP_{self.what}"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "Drop":
        reader = Reader(sql, tokens[1:])
        what = next((word for word in ("TABLE", "VIEW", "DATABASE", "SCHEMA") if reader.take(word)), "")
        if not what:
            reader.refuse()
        if_exists = reader.take("IF", "EXISTS")
        name = reader.name()
        cascade = reader.take("CASCADE")
        if not cascade:
            reader.take("RESTRICT")
        reader.end()
        return cls("DATABASE" if what == "SCHEMA" else what, name, if_exists, cascade)

    def run(self, session: Session) -> Outcome:
        if self.what == "DATABASE":
            return self._database(session)
        database, name = session.named(self.name)
        table = session.catalogue.table(database, name)
        if table is None or table.is_view != (self.what == "VIEW"):
            if self.if_exists and table is None:
                return Outcome()
            kind = self.what.title()
            raise QueryFailed(f"{self.what}_NOT_FOUND", f"{kind} '{database}.{name}' does not exist")
        session.catalogue.call("DeleteTable", DatabaseName=database, Name=name)
        return Outcome()

    def _database(self, session: Session) -> Outcome:
        name = self.name[-1].lower()
        if not session.catalogue.has_database(name):
            if self.if_exists:
                return Outcome()
            raise QueryFailed("SCHEMA_NOT_FOUND", f"Database does not exist: {name}")
        tables = list(session.catalogue.pages("GetTables", "TableList", DatabaseName=name))
        if tables and not self.cascade:
            raise QueryFailed(
                "DDL",
                f"FAILED: Execution Error: InvalidOperationException(message:Database {name} is not empty."
                " One or more tables exist.)",
            )
        for table in tables:
            session.catalogue.call("DeleteTable", DatabaseName=name, Name=table["Name"])
        session.catalogue.call("DeleteDatabase", Name=name)
        return Outcome()
