"""Statements that run on Trino; definitions in Hive's dialect stay with the catalogue."""

from collections.abc import Callable, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena import statements
from localaws.services.athena.execution.session import Statement
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.grammar.binding import spelled
from localaws.services.athena.sql.grammar.dialect import SyntaxRefused, parse_query, tokens, without_semicolon
from localaws.services.athena.statements.trino.iceberg import AlterIceberg, CreateIceberg, DropTable, Optimize, Vacuum
from localaws.services.athena.statements.trino.queries import Change, Explain, Rows, View
from localaws.services.athena.statements.trino.writes import CreateTableAs, Unload

SyntaxCheck = Callable[[str], None]  # Trino's parser; raises SyntaxRefused
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_MAINTENANCE: dict[str, Callable[[str, list[Token]], Statement]] = {"OPTIMIZE": Optimize.read, "VACUUM": Vacuum.read}
_CHANGES = ("INSERT", "MERGE", "UPDATE", "DELETE")


def read(sql: str, parameters: Sequence[str], prepared: statements.PreparedLookup, check: SyntaxCheck) -> Statement:
    """Read a statement. `prepared` gives the text of a prepared statement.

    Raises SyntaxRefused for what Athena would not start.
    """
    parameters = [spelled(parameter) for parameter in parameters]
    stream = tokens(sql)
    if not stream:
        raise SyntaxRefused(1, 1, "mismatched input '<EOF>'")
    sql = sql[: stream[-1].end + 1]
    words = [token.text.upper() for token in stream[:5]]
    if words[0] == "EXECUTE":
        name, arguments = statements.execution(sql, stream)
        return read(prepared(name), arguments or parameters, prepared, check)
    if words[0] in _QUERIES:
        _check_query(sql, 0, sql, check)
        return Rows(sql, tuple(parameters))
    if words[0] in _CHANGES:
        check(sql)
        return Change.read(sql, stream, parameters)
    return _other(sql, stream, words, parameters, prepared, check)


def _other(
    sql: str,
    stream: list[Token],
    words: list[str],
    parameters: Sequence[str],
    prepared: statements.PreparedLookup,
    check: SyntaxCheck,
) -> Statement:
    if words[0] == "EXPLAIN":
        check(sql)
        return Explain(sql, tuple(parameters))
    if words[0] == "UNLOAD":
        unload = Unload.read(sql, stream, parameters)
        start, end = unload.span
        _check_query(sql[:end], start, sql[start:end], check)
        return unload
    if words[0] in _MAINTENANCE:
        return _MAINTENANCE[words[0]](sql, stream)
    return _definition(sql, stream, words, parameters, prepared, check)


def _definition(
    sql: str,
    stream: list[Token],
    words: list[str],
    parameters: Sequence[str],
    prepared: statements.PreparedLookup,
    check: SyntaxCheck,
) -> Statement:
    if words[:2] == ["CREATE", "TABLE"]:
        return _table(sql, stream, parameters, check)
    if words[0] == "CREATE" and (words[1:2] == ["VIEW"] or words[1:4] == ["OR", "REPLACE", "VIEW"]):
        return View.read(sql, stream)
    if words[:2] == ["DROP", "TABLE"]:
        return DropTable.read(sql, stream)
    if words[:2] == ["ALTER", "TABLE"]:
        return AlterIceberg.read(sql, stream)
    return statements.read(sql, parameters, prepared)


def _table(sql: str, stream: list[Token], parameters: Sequence[str], check: SyntaxCheck) -> Statement:
    """CREATE TABLE: of Iceberg, with its columns in Hive's types, or AS a query."""
    depth = 0
    for token in stream:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth == 0 and token.text.upper() == "AS" and token.token_type != TokenType.IDENTIFIER:
            create = CreateTableAs.read(sql, stream, parameters)
            _check_query(sql, create.start, sql, check)
            return create
    return CreateIceberg.read(sql, stream)


def _check_query(text: str, start: int, statement: str, check: SyntaxCheck) -> None:
    """Refuse a query, which begins at `start`, with a syntax error before it gets an id, as Athena does. What the local
    grammar reads, Trino's does; of the rest, Trino's own parser is asked about the statement.
    """
    try:
        parse_query(without_semicolon(text), start)
    except (SyntaxRefused, QueryFailed):
        check(statement)
