"""Tokens of Athena's SQL ("SqlBase.g4", lexical rules), each with its line and column from 1."""

import re
from dataclasses import dataclass

from localaws.services.athena.sql.failures import SyntaxRefused

RESERVED = frozenset(
    """
alter and as between by case cast constraint create cross cube current_catalog current_date current_path current_role
current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else end escape
except execute exists extract false for from full group grouping having in inner insert intersect into is join
json_array json_exists json_object json_query json_table json_value left like listagg localtime localtimestamp natural
normalize not null on or order outer prepare recursive right rollup select skip table then trim true uescape union
unnest using values when where with
""".split()
)
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<unicode>[Uu]&'(?:[^']|'')*')
  | (?P<binary>[Xx]'[^']*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<backquoted>`(?:[^`]|``)*`)
  | (?P<double>(?:\d+(?:\.\d*)?|\.\d+)[Ee][+-]?\d+)
  | (?P<decimal>\d[\d_]*\.[\d_]*|\.\d[\d_]*)
  | (?P<integer>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)
  | (?P<word>[^\W\d]\w*)
  | (?P<sign><>|!=|<=|>=|\|\||->|=>|[-+*/%<>=?.,()\[\]{};:|^$])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """`kind` is word, quoted, string, binary, integer, decimal, double, sign or end; `text` is the value."""

    kind: str
    text: str
    line: int
    column: int
    start: int
    end: int

    @property
    def at(self) -> tuple[int, int]:
        return self.line, self.column


def words(sql: str, start: int = 0) -> list[Word]:
    """The tokens from `start` on, closed by one of kind `end`. Raises SyntaxRefused."""
    stream: list[Word] = []
    line = sql.count("\n", 0, start) + 1
    begin = sql.rfind("\n", 0, start) + 1
    at = start
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        column = at - begin + 1
        if match is None:
            raise SyntaxRefused(line, column, f"mismatched input '{sql[at]}'")
        kind = str(match.lastgroup)
        text = match.group()
        if kind != "space":
            follows = sql[match.end() : match.end() + 1]
            if kind in ("integer", "decimal", "double") and (follows.isalpha() or follows == "_"):
                raise SyntaxRefused(
                    line,
                    column,
                    "identifiers must not start with a digit; surround the identifier with double quotes",
                )
            stream.append(_word(kind, text, (line, column), (at, match.end())))
        line += text.count("\n")
        if "\n" in text:
            begin = at + text.rfind("\n") + 1
        at = match.end()
    stream.append(Word("end", "<EOF>", line, len(sql) - begin + 1, len(sql), len(sql)))
    return stream


def _word(kind: str, text: str, place: tuple[int, int], span: tuple[int, int]) -> Word:
    value = text
    if kind == "string":
        value = text[1:-1].replace("''", "'")
    elif kind == "quoted":
        value = text[1:-1].replace('""', '"')
    elif kind == "backquoted":
        raise SyntaxRefused(*place, "backquoted identifiers are not supported; use double quotes to quote identifiers")
    elif kind == "binary":
        value = re.sub(r"\s", "", text[2:-1])
        if len(value) % 2 or re.search(r"[^0-9a-fA-F]", value):
            raise SyntaxRefused(*place, "Binary literal must contain an even number of hexadecimal digits")
    elif kind == "unicode":
        value = text[3:-1].replace("''", "'")
    elif kind in ("integer", "decimal"):
        value = text.replace("_", "")
    return Word(kind, value, *place, *span)


def unescaped(text: str, escape: str, place: tuple[int, int]) -> str:
    """The value of a Unicode literal: four digits after the escape, or six after the escape and a plus."""
    sign = re.escape(escape)
    pattern = re.compile(rf"{sign}(?:{sign}|\+([0-9a-fA-F]{{6}})|([0-9a-fA-F]{{4}})|(.?))", re.DOTALL)

    def decoded(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        if digits:
            return chr(int(digits, 16))
        if match[3] is not None:
            raise SyntaxRefused(*place, "Incomplete escape sequence")
        return escape

    return pattern.sub(decoded, text)
