"""UNLOAD: a query's rows as files, without a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from localaws.core.shapes import Document
from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Outcome
from localaws.services.athena.scan.storage import place
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.binding import bound
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused, parse_head, parse_query
from localaws.services.athena.statements.ctas import CreateTableAs
from localaws.services.athena.statements.row_writer import Format, settled_types, write


@dataclass(slots=True)
class Unload:
    """UNLOAD (query) TO 's3://...' WITH (...)."""

    query: exp.Query
    target: str
    properties: Document
    kind: str = "DML"
    substatement: str = "UNLOAD"

    @classmethod
    def read(cls, sql: str, tokens: list[Token], parameters: Sequence[str]) -> "Unload":
        end = _closing(tokens, 1)
        query = bound(parse_query(sql[: tokens[end].start], tokens[1].end + 1), parameters)
        rest = tokens[end + 1 :]
        if len(rest) < 2 or rest[0].text.upper() != "TO":
            raise SyntaxRefused(1, 1, "mismatched input. Expecting: 'TO'")
        properties: Document = {}
        if len(rest) > 2:
            # The options have CTAS's form: let the same reading take them.
            create = parse_head(f"create table unloaded {sql[rest[2].start :].rstrip().rstrip(';')} as select 1 as a")
            properties = dict(CreateTableAs.of(_renamed(create)).properties)
        if "format" not in properties:
            raise SyntaxRefused(1, 1, "UNLOAD needs a format property")
        return cls(query, rest[1].text, properties)

    def run(self, session: Session) -> Outcome:
        folder = place(self.target).folder()
        if not session.storage.is_empty(folder):
            raise QueryFailed("HIVE_PATH_ALREADY_EXISTS", f"Target directory for UNLOAD is not empty: {folder.uri}")
        plan = session.plan(self.query)
        types = settled_types(plan)
        form = Format(
            name=str(self.properties["format"]).upper(),
            compression=str(self.properties.get("write_compression") or "GZIP").upper(),
            delimiter=str(self.properties.get("field_delimiter") or "\x01"),
        )
        keys = [key.lower() for key in self.properties.get("partitioned_by") or []]
        if keys and list(types)[-len(keys) :] != keys:
            raise QueryFailed(
                "HIVE_COLUMN_ORDER_MISMATCH", f"Partition keys must be the last columns: [{', '.join(keys)}]"
            )
        written = write(session, plan.sql, types, keys=keys, form=form, folder=folder)
        return Outcome(update_count=written.rows, manifest=written.objects)


def _renamed(create: exp.Expr) -> exp.Expr:
    """UNLOAD says `compression` where CTAS says `write_compression`."""
    for item in create.find_all(exp.Property):
        if type(item) is exp.Property and item.name.lower() == "compression":
            item.set("this", exp.Literal.string("write_compression"))
    return create


def _closing(tokens: list[Token], start: int) -> int:
    depth = 0
    for number in range(start, len(tokens)):
        kind = tokens[number].token_type
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(kind, 0)
        if depth == 0:
            if number == start:
                break
            return number
    raise SyntaxRefused(1, 8, "mismatched input. Expecting: '('")
