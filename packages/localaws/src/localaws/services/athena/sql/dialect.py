"""Athena's SQL as a tree in which every function keeps the name that the statement gave it.

sqlglot's own Trino reading turns many functions into what it takes for their equals elsewhere; a query engine that must
not answer wrongly decides that itself (see `functions`).
"""

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, ParseError, TokenError, UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from localaws.core.shapes import Document
from localaws.services.athena.sql.failures import QueryFailed, not_supported

_KEPT_PARSERS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "SUBSTRING")


def _placeholder(parser: Any) -> exp.Expr:
    """A `?`, with its place in the text: parameters are bound in that order."""
    node = exp.Placeholder()
    node.meta["start"] = parser._prev.start  # noqa: SLF001 (sqlglot's parsers read it so)
    return node


class AthenaQuery(Trino):
    """Trino's grammar without its function library."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[Document] = {}
        FUNCTION_PARSERS: ClassVar[Document] = {
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _KEPT_PARSERS
        }
        PLACEHOLDER_PARSERS: ClassVar[dict[Any, Any]] = {
            **TrinoParser.PLACEHOLDER_PARSERS,
            TokenType.PLACEHOLDER: _placeholder,
        }


class AthenaWords(Trino):
    """The tokens of Athena's SQL with every word a token of its own, and Hive's backquotes."""

    class Tokenizer(Trino.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ['"', "`"]
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            word: kind for word, kind in Trino.Tokenizer.KEYWORDS.items() if not any(sign.isalpha() for sign in word)
        }


class EngineSql(DuckDB):
    """DuckDB's grammar, whose function calls are written as they stand in the tree."""

    INDEX_OFFSET = 0

    class Parser(DuckDBParser):
        FUNCTIONS: ClassVar[Document] = {}

    class Generator(DuckDBGenerator):
        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            return f"{self.sql(expression, 'this')} IGNORE NULLS"

        def respectnulls_sql(self, expression: exp.RespectNulls) -> str:
            return f"{self.sql(expression, 'this')} RESPECT NULLS"


def engine_sql(tree: exp.Expr) -> str:
    """A translated tree as DuckDB's text. Raises QueryFailed for what cannot be written without loss."""
    try:
        return tree.sql(dialect=EngineSql, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise not_supported(str(error).split("\n", maxsplit=1)[0]) from error


class SyntaxRefused(Exception):
    """A statement that Athena would not even start."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(f"line {line}:{column}: {message}")


def tokens(sql: str) -> list[Token]:
    """The statement's tokens, without a closing semicolon. Raises SyntaxRefused."""
    try:
        stream = AthenaWords().tokenize(sql)
    except TokenError as error:
        raise SyntaxRefused(1, 1, "mismatched input. " + str(error).split("\n", maxsplit=1)[0]) from error
    while stream and stream[-1].token_type == TokenType.SEMICOLON:
        stream.pop()
    return list(stream)


def parse(sql: str) -> exp.Expr:
    """Read one statement. Raises SyntaxRefused with line and column as Athena counts them."""
    try:
        trees = AthenaQuery().parse(sql)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        near = str(first.get("highlight") or "")
        line = int(first.get("line") or 1)
        column = int(first.get("col") or 1)
        raise SyntaxRefused(line, max(column - len(near), 1), f"mismatched input '{near or '<EOF>'}'") from error
    except TokenError as error:
        raise SyntaxRefused(1, 1, "mismatched input. " + str(error).split("\n", maxsplit=1)[0]) from error
    statements = [tree for tree in trees if tree is not None]
    if len(statements) != 1:
        raise SyntaxRefused(1, 1, "Only one sql statement is allowed. Got: " + sql[:60])
    if any(not select.expressions for select in statements[0].find_all(exp.Select)):
        raise SyntaxRefused(1, len(sql) + 1, "mismatched input '<EOF>'. Expecting: '*', <expression>")
    return statements[0]


def parse_query(sql: str) -> exp.Query:
    """Read a statement that must be a query."""
    tree = parse(sql)
    if isinstance(tree, exp.Subquery):
        tree = tree.unnest()
    if not isinstance(tree, exp.Query):
        raise QueryFailed("SYNTAX_ERROR", "line 1:1: a query is expected")
    return tree


def positions_of(sql: str) -> dict[str, tuple[int, int]]:
    """Line and column (from 1) of the first appearance of each word of a statement."""
    positions: dict[str, tuple[int, int]] = {}
    for token in tokens(sql):
        name = token.text.lower()
        if name and name not in positions:
            positions[name] = (token.line, max(token.col - len(sql[token.start : token.end + 1]) + 1, 1))
    return positions
