"""Statements of Athena's SQL: read at once, so that a malformed one is refused before it gets an id, and run later."""

from collections.abc import Callable, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.execution.session import Statement
from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.grammar.binding import bound
from localaws.services.athena.sql.grammar.dialect import (
    SyntaxRefused,
    parse_head,
    parse_query,
    tokens,
    without_semicolon,
)
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

PreparedLookup = Callable[[str], str]
_OF_ICEBERG = ("MERGE", "UPDATE", "DELETE", "OPTIMIZE", "VACUUM")  # statements that only Iceberg tables take
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
        name, arguments = execution(sql, stream)
        return read(prepared(name), arguments or parameters, prepared)
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
        start = inner[0].start if inner else len(sql)
        return Explain(bound(parse_query(without_semicolon(sql), start), parameters), analyze=analyze)
    if words[0] == "CREATE":
        return _create(sql, stream, words, parameters)
    return _rows(sql, stream, words[0], parameters)


def _create(sql: str, stream: list[Token], words: list[str], parameters: Sequence[str]) -> Statement:
    if words[1] in ("DATABASE", "SCHEMA"):
        return CreateDatabase.read(sql, stream)
    if words[1] == "EXTERNAL":
        return CreateExternalTable.read(sql, stream)
    if words[1] == "VIEW" or words[1:4] == ["OR", "REPLACE", "VIEW"]:
        return CreateView.read(sql, stream)
    if words[1:2] == ["TABLE"] and any(token.text.upper() == "ICEBERG" for token in stream):
        raise not_supported("An Iceberg table")
    return _ctas(without_semicolon(sql), stream, parameters)


def _rows(sql: str, stream: list[Token], word: str, parameters: Sequence[str]) -> Statement:
    if word == "INSERT":
        return Insert.read(sql, stream, parameters)
    return Select(bound(parse_query(without_semicolon(sql)), parameters))


def _ctas(sql: str, stream: list[Token], parameters: Sequence[str]) -> CreateTableAs:
    """The head, in which a query of one column stands for the statement's own, and that query."""
    start = _query_start(stream)
    if start is None:
        raise SyntaxRefused(1, 8, "mismatched input. Expecting: 'EXTERNAL', 'TABLE ... AS'")
    ending = [token.text.upper() for token in stream[-3:]]
    tail = (
        stream[-3].start
        if ending == ["WITH", "NO", "DATA"]
        else stream[-2].start
        if ending[1:] == ["WITH", "DATA"]
        else len(sql)
    )
    query = bound(parse_query(sql[:tail], start), parameters)
    return CreateTableAs.of(parse_head(f"{sql[:start]} select 1 as a {sql[tail:]}"), query)


def _query_start(stream: list[Token]) -> int | None:
    """Where the text after the AS of a CREATE TABLE begins."""
    depth = 0
    for number, token in enumerate(stream[:-1]):
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0 and token.text.upper() == "AS" and token.token_type != TokenType.IDENTIFIER:
            return stream[number + 1].start
    return None


def execution(sql: str, stream: list[Token]) -> tuple[str, list[str]]:
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
