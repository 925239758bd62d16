"""Statements whose text Trino runs as it is, and views."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.tokenizer_core import Token

from localaws.services.athena.execution.session import Session
from localaws.services.athena.execution.trino.cells import columns, type_of
from localaws.services.athena.execution.trino.session import Text, TrinoSession
from localaws.services.athena.results.outcome import Column, Outcome
from localaws.services.athena.scan.relations import view_text
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino import hive_types
from localaws.services.athena.statements.select import PLAN
from localaws.services.athena.statements.token_reader import Reader
from localaws.services.athena.statements.views import CreateView, view_parts


@dataclass(slots=True)
class Rows:
    """A query."""

    sql: str
    parameters: tuple[str, ...] = ()
    kind: str = "DML"
    substatement: str = "SELECT"

    def run(self, session: Session) -> Outcome:
        trino = TrinoSession.of(session)
        rows = trino.execute(Text.of(self.sql), self.parameters)
        first = list(itertools.islice(rows, 1))
        return Outcome(columns=columns(trino.answer.columns), rows=itertools.chain(first, rows))


@dataclass(slots=True)
class Change:
    """INSERT, MERGE, UPDATE, DELETE. `name` is the table's."""

    sql: str
    name: list[str]
    parameters: tuple[str, ...]
    substatement: str
    kind: str = "DML"

    @classmethod
    def read(cls, sql: str, tokens: list[Token], parameters: Sequence[str]) -> "Change":
        """Raises SyntaxRefused."""
        reader = Reader(sql, tokens)
        word = reader.next().text.upper()
        if word != "UPDATE":
            reader.expect("FROM" if word == "DELETE" else "INTO")
        return cls(sql, reader.name(), tuple(parameters), word)

    def run(self, session: Session) -> Outcome:
        trino = TrinoSession.of(session)
        answer = trino.run_to_end(Text.of(self.sql), self.parameters)
        objects = trino.written_objects(self.name) if self.substatement == "INSERT" else None
        return Outcome(update_count=answer.update_count, manifest=objects)


@dataclass(slots=True)
class Explain:
    """EXPLAIN in all forms: Trino's plan."""

    sql: str
    parameters: tuple[str, ...] = ()
    kind: str = "UTILITY"
    substatement: str = "EXPLAIN"

    def run(self, session: Session) -> Outcome:
        rows = TrinoSession.of(session).execute(Text.of(self.sql), self.parameters)
        lines = (line for row in rows for line in str(row[0]).split("\n"))
        return Outcome(
            columns=[Column(PLAN, "varchar", 2147483647)], rows=([line] for line in itertools.chain([PLAN], lines))
        )


class View(CreateView):
    """CREATE [OR REPLACE] VIEW, its columns described by Trino."""

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "View":
        return cls(*view_parts(sql, tokens))

    def run(self, session: Session) -> Outcome:
        trino = TrinoSession.of(session)
        database, name = session.named(self.name)
        existing = session.catalogue.table(database, name)
        if existing is not None and not (self.replace and existing.is_view):
            raise QueryFailed("TABLE_ALREADY_EXISTS", f"line 1:1: '{database}.{name}' already exists")
        trino.run_to_end(Text("SELECT * FROM (", self.sql, tail=") LIMIT 0"))
        answer = trino.answer.columns
        described = [(str(column["name"]), str(column["type"])) for column in answer]
        stored = [
            {"Name": str(column["name"]), "Type": hive_types.view_name(type_of(column["typeSignature"]))}
            for column in answer
        ]
        session.scanned = 0  # a view is only described, nothing is read
        table = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": view_text(self.sql, session.database or database, described),
            "ViewExpandedText": "/* Presto View */",
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": stored,
                "Location": "",
                "SerdeInfo": {},
            },
        }
        session.catalogue.call("UpdateTable" if existing else "CreateTable", DatabaseName=database, TableInput=table)
        return Outcome()
