"""The functions that the local engine knows: tables of signatures, each with the engine's text or with its builder.

A line of a table reads `name(parameters) result = text`. In the text, _0, _1, ... stand for the arguments and _T for
the engine's name of the result's type; a function parameter stands for a lambda. In aggregates, %D marks the place of
DISTINCT, %O that of ORDER BY, %N that of IGNORE NULLS and %M that of FILTER and OVER.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from localaws.services.athena.sql.trino.signatures import Signature, pattern
from localaws.services.athena.sql.trino.types import Type
from localaws.services.athena.sql.values.values import Value

Builder = Callable[[Sequence[Value], Type], Value]
_LINE = re.compile(r"^(\w+)\((.*?)\) ([^=].*?|=\d) = (.*)$")
_ARGUMENT = re.compile(r"(?:(?<=%D)|\b)_(\d|T)\b")


@dataclass(frozen=True, slots=True)
class Function:
    """One overload: `text`, or a builder that is given the turned arguments and the result's type."""

    signature: Signature
    text: str
    build: Builder | None = None


def read(table: str, builders: Mapping[str, Builder] | None = None) -> dict[str, list[Function]]:
    """The functions of a table by name. A text `@name` names a builder."""
    functions: dict[str, list[Function]] = {}
    for line in table.strip().splitlines():
        match = _LINE.match(line.strip())
        if match is None:
            raise ValueError(f"not a function: {line}")
        name, parameters, result, text = match.groups()
        parts = _split(parameters)
        variadic = bool(parts) and parts[-1].endswith("...")
        patterns = tuple(pattern(part.removesuffix("...")) for part in parts)
        signature = Signature(name, patterns, pattern(result), variadic)
        build = (builders or {})[text[1:]] if text.startswith("@") else None
        functions.setdefault(name, []).append(Function(signature, text, build))
    return functions


def _split(parameters: str) -> list[str]:
    parts: list[str] = []
    depth = 0
    current = ""
    for sign in parameters:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += sign
    return [*parts, current.strip()] if current.strip() else parts


def fill(text: str, arguments: Sequence[str], result: Type) -> str:
    """The text with its arguments."""

    def argument(match: re.Match[str]) -> str:
        return result.duckdb if match[1] == "T" else arguments[int(match[1])]

    return _ARGUMENT.sub(argument, text)
