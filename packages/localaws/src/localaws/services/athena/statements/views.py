"""CREATE [OR REPLACE] VIEW."""

from dataclasses import dataclass

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.relations import view_text
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused, parse_query
from localaws.services.athena.sql.trino import hive_types


@dataclass(slots=True)
class CreateView:
    """A query kept under a name, in the catalogue."""

    name: list[str]
    sql: str
    replace: bool
    kind: str = "DDL"
    substatement: str = "CREATE_VIEW"

    @classmethod
    def read(cls, sql: str, tokens: list[Token]) -> "CreateView":
        name, query, replace = view_parts(sql, tokens)
        parse_query(query)
        return cls(name, query, replace)

    def run(self, session: Session) -> Outcome:
        database, name = session.named(self.name)
        there = session.catalogue.table(database, name)
        if there is not None and not (self.replace and there.is_view):
            raise QueryFailed("TABLE_ALREADY_EXISTS", f"line 1:1: '{database}.{name}' already exists")
        plan = session.describe(parse_query(self.sql))
        described = [(column, str(kind)) for column, kind in plan.columns]
        table = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "ViewOriginalText": view_text(self.sql, session.database or database, described),
            "ViewExpandedText": "/* Presto View */",
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": hive_types.view_name(kind)} for column, kind in plan.columns],
                "Location": "",
                "SerdeInfo": {},
            },
        }
        session.catalogue.call("UpdateTable" if there else "CreateTable", DatabaseName=database, TableInput=table)
        return Outcome()


def view_parts(sql: str, tokens: list[Token]) -> tuple[list[str], str, bool]:
    """The name, the query and whether an existing view is replaced. Raises SyntaxRefused."""
    replace = tokens[1].text.upper() == "OR"
    at = 4 if replace else 2
    parts = []
    while at < len(tokens) and tokens[at].text.upper() != "AS":
        if tokens[at].token_type != TokenType.DOT:
            parts.append(tokens[at].text)
        at += 1
    if not parts or at + 1 >= len(tokens):
        raise SyntaxRefused(1, len(sql) + 1, "mismatched input '<EOF>'. Expecting: 'AS'")
    return parts, sql[tokens[at + 1].start : tokens[-1].end + 1], replace
