"""Statements of Athena's SQL: read at once, so that a malformed one is refused before it gets an id, and run later."""

from collections.abc import Callable, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Statement
from localaws.services.athena.sql.binding import bound
from localaws.services.athena.sql.dialect import AthenaQuery, SyntaxRefused, tokens
from localaws.services.athena.sql.dialect import parse as parse_tree
from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.statements.alter import AlterTable, Repair
from localaws.services.athena.statements.create import CreateDatabase, CreateExternalTable
from localaws.services.athena.statements.ctas import CreateTableAs
from localaws.services.athena.statements.drop import Drop
from localaws.services.athena.statements.insert import Insert
from localaws.services.athena.statements.select import Explain, Select
from localaws.services.athena.statements.show import Describe, Show
from localaws.services.athena.statements.token_reader import Reader
from localaws.services.athena.statements.unload import Unload
from localaws.services.athena.statements.views import CreateView

_OF_ICEBERG = ("MERGE", "UPDATE", "DELETE", "OPTIMIZE", "VACUUM")  # statements that only Iceberg tables take
PreparedLookup = Callable[[str], str]
_SMALL: dict[tuple[str, ...], Callable[[str, list[Token]], Statement]] = {
    ("MSCK", "REPAIR"): Repair.read,
    ("ALTER",): AlterTable.read,
    ("DROP",): Drop.read,
    ("SHOW",): Show.read,
    ("DESCRIBE",): Describe.read,
    ("DESC",): Describe.read,
}


def read(sql: str, parameters: Sequence[str], prepared: PreparedLookup) -> Statement:
    """Read a statement. `prepared` gives the text of a prepared statement.

    Raises SyntaxRefused for what Athena would not start.
    """
    stream = tokens(sql)
    if not stream:
        raise SyntaxRefused(1, 1, "mismatched input '<EOF>'")
    words = [token.text.upper() for token in stream[:5]]
    if words[0] == "EXECUTE":
        name, arguments = _execution(sql, stream)
        return read(prepared(name), arguments, prepared)
    if words[0] in _OF_ICEBERG:
        raise not_supported(f"{words[0]}, of Iceberg tables,")
    if words[0] == "UNLOAD":
        return Unload.read(sql, stream, parameters)
    for first, reader in _SMALL.items():
        if words[: len(first)] == list(first):
            return reader(sql, stream)
    if words[0] == "EXPLAIN":
        analyze = words[1:2] == ["ANALYZE"]
        inner = stream[2 if analyze else 1 :]
        return Explain(bound(parse_tree(sql[inner[0].start :] if inner else ""), parameters), analyze=analyze)
    if words[0] == "CREATE":
        return _create(sql, stream, words, parameters)
    return _query(bound(parse_tree(sql), parameters))


def _create(sql: str, stream: list[Token], words: list[str], parameters: Sequence[str]) -> Statement:
    if words[1] in ("DATABASE", "SCHEMA"):
        return CreateDatabase.read(sql, stream)
    if words[1] == "EXTERNAL":
        return CreateExternalTable.read(sql, stream)
    if words[1] == "VIEW" or words[1:4] == ["OR", "REPLACE", "VIEW"]:
        return CreateView.read(sql, stream)
    if words[1:2] == ["TABLE"] and any(token.text.upper() == "ICEBERG" for token in stream):
        raise not_supported("An Iceberg table")
    return CreateTableAs.of(bound(parse_tree(sql), parameters))


def _query(tree: exp.Expr) -> Statement:
    if isinstance(tree, exp.Insert):
        return Insert.of(tree)
    if isinstance(tree, exp.Query):
        return Select(tree)
    raise SyntaxRefused(1, 1, f"mismatched input '{tree.sql(dialect=AthenaQuery)[:30]}'")


def _execution(sql: str, stream: list[Token]) -> tuple[str, list[str]]:
    """Name and parameters of EXECUTE name [USING value, ...]."""
    reader = Reader(sql, stream[1:])
    name = reader.name()[-1]
    if not reader.take("USING"):
        reader.end()
        return name, []
    parts = []
    depth = 0
    start = reader.start
    for token in reader.rest():
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1, TokenType.L_BRACKET: 1, TokenType.R_BRACKET: -1}.get(
            token.token_type, 0
        )
        if token.token_type == TokenType.COMMA and depth == 0:
            parts.append(sql[start : token.start])
            start = token.end + 1
    return name, [part.strip() for part in [*parts, sql[start : stream[-1].end + 1]]]
