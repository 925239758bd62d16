"""The filter of a GetPartitions call ("GetPartitions", Expression), judged once for each distinct value of a key."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[\w.+-]+|`[^`]+`|\"[^\"]+\")|(?P<sign><>|!=|<=|>=|[=<>(),]))"
)
_TEXT_KINDS = ("string", "varchar", "char")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

Keys = set[str]  # keys of partitions
Judge = Callable[[str], bool]  # of a value's text


class Filter:
    """One expression over a table's partitions. `cast` reads a value of a key's type and raises ValueError."""

    def __init__(
        self,
        expression: str,
        keys: Sequence[tuple[str, str]],
        values: Sequence[Mapping[str, Keys]],
        cast: Callable[[str, str], Any],
    ) -> None:
        self._tokens = _tokens(expression)
        self._at = 0
        self._keys = {name.lower(): (at, kind.lower()) for at, (name, kind) in enumerate(keys)}
        self._values = values
        self._cast = cast

    def matches(self) -> Keys:
        """The partitions for which the expression holds. Raises ValueError where it cannot be read."""
        result = self._either()
        if self._at < len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._at]}")
        return result

    def _either(self) -> Keys:
        result = self._both()
        while self._take("or"):
            result = result | self._both()
        return result

    def _both(self) -> Keys:
        result = self._term()
        while self._take("and"):
            result = result & self._term()
        return result

    def _term(self) -> Keys:
        if self._take("not"):
            return self._all() - self._term()
        if self._take("("):
            result = self._either()
            self._must(")")
            return result
        return self._condition()

    def _condition(self) -> Keys:
        name = self._next().strip('`"').lower()
        if name not in self._keys:
            raise ValueError(f"{name} is not a partition key")
        at, kind = self._keys[name]
        negated = self._take("not")
        sign = self._next().lower()
        if sign == "in":
            values = self._values[at]
            literals = self._list(kind)
            if kind in _TEXT_KINDS:
                result: Keys = set().union(*(values.get(literal, ()) for literal in literals))
            else:
                result = self._where(at, lambda value: self._read(kind, value) in literals)
        elif sign == "between":
            low = self._literal(kind)
            self._must("and")
            high = self._literal(kind)
            result = self._where(at, lambda value: low <= self._read(kind, value) <= high)
        elif sign == "like" and kind in _TEXT_KINDS:
            pattern = re.compile(re.escape(str(self._literal(kind))).replace("%", ".*").replace("_", "."), re.DOTALL)
            result = self._where(at, lambda value: pattern.fullmatch(value) is not None)
        elif sign in _SIGNS:
            right = self._literal(kind)
            holds = _SIGNS[sign]
            result = self._where(at, lambda value: holds(self._read(kind, value), right))
        else:
            raise ValueError(f"{sign} of a key of the type {kind}")
        return self._all() - result if negated else result

    def _list(self, kind: str) -> set[Any]:
        self._must("(")
        literals = {self._literal(kind)}
        while self._take(","):
            literals.add(self._literal(kind))
        self._must(")")
        return literals

    def _literal(self, kind: str) -> Any:
        if self._take("("):
            value = self._literal(kind)
            self._must(")")
            return value
        text = self._next()
        if text.lower() in ("date", "timestamp") and self._peek().startswith("'"):
            text = self._next()
        return self._read(kind, text[1:-1].replace("''", "'") if text.startswith("'") else text)

    def _read(self, kind: str, text: str) -> Any:
        return text if kind in _TEXT_KINDS else self._cast(kind, text)

    def _where(self, at: int, holds: Judge) -> Keys:
        """The partitions of whose values something holds; a value that is none of its type answers to nothing."""
        keys: Keys = set()
        for value, there in self._values[at].items():
            with contextlib.suppress(ValueError):
                if holds(value):
                    keys |= there
        return keys

    def _all(self) -> Keys:
        return set().union(*self._values[0].values()) if self._values else set()

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise ValueError("unexpected end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        if self._peek().lower() != word:
            return False
        self._at += 1
        return True

    def _must(self, word: str) -> None:
        if not self._take(word):
            raise ValueError(f"{word} is missing")


def _tokens(expression: str) -> list[str]:
    tokens = []
    at = 0
    text = expression.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"unexpected {text[at : at + 10]}")
        tokens.append(match[0].strip())
        at = match.end()
    return tokens
