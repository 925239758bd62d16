"""Athena's SQL as tokens and trees: queries by their own grammar, the heads of CREATE TABLE AS by sqlglot's."""

import re
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from localaws.services.athena.sql.failures import SyntaxRefused
from localaws.services.athena.sql.grammar.queries import parse as parse_query


class AthenaWords(Trino):
    """The tokens of Athena's SQL with every word a token of its own, and Hive's backquotes."""

    class Tokenizer(Trino.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ['"', "`"]
        HEX_STRINGS: ClassVar[list[str | tuple[str, str]]] = []  # a word and a string, in which Trino allows blanks
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            word: kind for word, kind in Trino.Tokenizer.KEYWORDS.items() if not any(sign.isalpha() for sign in word)
        }


class HiveWords(AthenaWords):
    """The tokens of Hive's DDL, whose strings have either quote and backslashes ("Hive data definition language")."""

    class Tokenizer(AthenaWords.Tokenizer):
        QUOTES: ClassVar[list[str | tuple[str, str]]] = ["'", '"']
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]
        STRING_ESCAPES: ClassVar[list[str]] = ["'", '"', "\\"]


# How a statement of Hive's DDL begins, after comments.
_HIVE = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:create\s+(?:external|database|schema)|alter|msck|drop|show|describe|desc)\b",
    re.IGNORECASE | re.DOTALL,
)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "Z": "\x1a", "%": "\\%", "_": "\\_"}
_SIGN = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([0-3][0-7]{2})|(.))", re.DOTALL)


def is_hive(sql: str) -> bool:
    """Whether a statement is one of Hive's DDL, with its strings and backquotes."""
    return _HIVE.match(sql) is not None


def string_value(written: str) -> str:
    """What a string of Hive's DDL stands for, which is given with its quotes."""
    quote = written[0]
    inner = written[1:-1].replace(quote * 2, quote)
    return _SIGN.sub(_sign, inner)


def _sign(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return chr(int(match[2], 8)) if match[2] else _SIGNS.get(match[3], match[3])


def tokens(sql: str) -> list[Token]:
    """The statement's tokens, without a closing semicolon. Raises SyntaxRefused."""
    try:
        stream = (HiveWords if is_hive(sql) else AthenaWords)().tokenize(sql)
    except TokenError as error:
        raise SyntaxRefused(1, 1, "mismatched input. " + str(error).split("\n", maxsplit=1)[0]) from error
    while stream and stream[-1].token_type == TokenType.SEMICOLON:
        stream.pop()
    return list(stream)


def parse_head(sql: str) -> exp.Expr:
    """Read a CREATE TABLE AS whose query stands for another. Raises SyntaxRefused with line and column."""
    try:
        trees = Trino().parse(sql)
    except (ParseError, TokenError) as error:
        first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        near = str(first.get("highlight") or "")
        line = int(first.get("line") or 1)
        column = int(first.get("col") or 1)
        raise SyntaxRefused(line, max(column - len(near), 1), f"mismatched input '{near or '<EOF>'}'") from error
    if len(trees) != 1 or trees[0] is None:
        raise SyntaxRefused(1, 1, "Only one sql statement is allowed. Got: " + sql[:60])
    return trees[0]


def without_semicolon(sql: str) -> str:
    """The text up to its last token that is no semicolon."""
    stream = tokens(sql)
    return sql[: stream[-1].end + 1] if stream else sql


def positions_of(sql: str) -> dict[str, tuple[int, int]]:
    """Line and column (from 1) of the first appearance of each word of a statement."""
    positions: dict[str, tuple[int, int]] = {}
    for token in tokens(sql):
        name = token.text.lower()
        if name and name not in positions:
            positions[name] = (token.line, max(token.col - len(sql[token.start : token.end + 1]) + 1, 1))
    return positions


__all__ = ["AthenaWords", "SyntaxRefused", "parse_head", "parse_query", "positions_of", "tokens", "without_semicolon"]
