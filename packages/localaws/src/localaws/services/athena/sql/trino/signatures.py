"""Signatures of functions: patterns of types with variables, and the choice among overloads as Trino makes it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from localaws.services.athena.sql.trino.coercion import as_decimal, can_coerce, common, is_same
from localaws.services.athena.sql.trino.types import INTEGERS, MOMENTS, NUMBERS, UNKNOWN, VARCHAR, Type

# Variables that stand for some types only; any other single capital letter stands for every type.
_LIMITS = {"N": NUMBERS, "I": INTEGERS, "D": MOMENTS}
_FREE = {"N": "bigint", "I": "bigint", "D": "date"}  # what an unknown value becomes
_TOKEN = re.compile(r"[\w ]*\w|[(),]|=\d|\.\.\.")
_SIZED = {
    "varchar": VARCHAR,
    "char": Type("char", (1,)),
    "timestamp": Type("timestamp", (3,)),
    "time": Type("time", (3,)),
    "timestamp with time zone": Type("timestamp with time zone", (3,)),
    "decimal": Type("decimal", (38, 0)),
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A type with variables: `array(T)`. `=0` as a result is the first argument's type."""

    name: str
    children: tuple["Pattern", ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.children))})" if self.children else self.name

    @property
    def is_function(self) -> bool:
        return self.name == "function"

    @property
    def is_variable(self) -> bool:
        return len(self.name) == 1 and self.name.isupper()


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload. The last parameter of a variadic one may come any number of times, or not at all."""

    name: str
    parameters: tuple[Pattern, ...]
    result: Pattern
    variadic: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))})"

    def expanded(self, count: int) -> tuple[Pattern, ...] | None:
        if not self.variadic:
            return self.parameters if len(self.parameters) == count else None
        fixed = self.parameters[:-1]
        if count < len(fixed):
            return None
        return fixed + self.parameters[-1:] * (count - len(fixed))


Bindings = dict[str, Type]


@lru_cache(maxsize=4096)
def pattern(text: str) -> Pattern:
    tokens = [token.strip() for token in _TOKEN.findall(text)]
    parsed, _ = _pattern(tokens)
    return parsed


def _pattern(tokens: list[str]) -> tuple[Pattern, list[str]]:
    name = tokens[0]
    rest = tokens[1:]
    children: list[Pattern] = []
    if rest[:1] == ["("]:
        while rest[0] != ")":
            child, rest = _pattern(rest[1:])
            children.append(child)
        rest = rest[1:]
    return Pattern(name, tuple(children)), rest


def bind(expected: Pattern, kind: Type, bindings: Bindings, *, exact: bool) -> bool:
    """Whether a value of the type fits the pattern; what its variables stand for goes into `bindings`."""
    if expected.is_variable:
        return _bind_variable(expected.name, kind, bindings, exact=exact)
    if kind.name == "unknown":
        return not exact
    if expected.children:
        return (
            kind.name == expected.name
            and len(kind.children) == len(expected.children)
            and all(bind(inner, child, bindings, exact=exact)
                    for inner, child in zip(expected.children, kind.children, strict=True))
        )  # fmt: skip
    if kind.name == expected.name:
        return True
    return not exact and _coerces(kind, expected.name)


def _coerces(kind: Type, name: str) -> bool:
    if name == "decimal":
        return kind.name in INTEGERS
    if name in _SIZED:
        target = _SIZED[name]
        return kind.name != name and _family(kind, target)
    return can_coerce(kind, Type(name))


def _family(kind: Type, target: Type) -> bool:
    meeting = common(kind, target)
    return (meeting is not None and meeting.name == target.name) or (kind.name, target.name) == ("char", "varchar")


def _bind_variable(name: str, kind: Type, bindings: Bindings, *, exact: bool) -> bool:
    limits = _LIMITS.get(name)
    if limits and kind.name not in limits:
        return kind.name == "unknown" and not exact
    existing = bindings.get(name)
    if existing is None or existing.name == "unknown":
        bindings[name] = kind
        return True
    if kind.name == "unknown":
        return True
    if is_same(existing, kind):
        bindings[name] = common(existing, kind) or existing
        return True
    meeting = common(existing, kind)
    if meeting is None or (exact and not (existing.name == kind.name == "varchar")):
        return False
    bindings[name] = meeting
    return True


def settled(expected: Pattern, kind: Type, bindings: Bindings) -> Type:
    """The type to which an argument is turned."""
    if expected.is_variable:
        bound = bindings.get(expected.name, kind)
        if bound.name == "unknown" and expected.name in _FREE:
            return Type(_FREE[expected.name])
        return bound
    if expected.children:
        if kind.name == expected.name:
            return Type(
                kind.name,
                kind.sizes,
                tuple(settled(inner, child, bindings)
                      for inner, child in zip(expected.children, kind.children, strict=True)),
                kind.fields,
            )  # fmt: skip
        return resolved(expected, [], bindings)
    if kind.name == expected.name:
        return kind
    if expected.name == "decimal":
        return as_decimal(kind) if kind.name in INTEGERS else _SIZED["decimal"]
    if expected.name in _SIZED:
        target = _SIZED[expected.name]
        meeting = common(kind, target)
        if kind.name == "date":
            return Type(expected.name, (0,), zone=target.zone)
        if kind.name == "timestamp" and expected.name == "timestamp with time zone":
            return Type(expected.name, kind.sizes, zone=target.zone)
        return meeting if meeting is not None and meeting.name == target.name and kind.name != "unknown" else target
    return Type(expected.name)


def resolved(expected: Pattern, arguments: Sequence[Type], bindings: Bindings) -> Type:
    """The type that a pattern stands for."""
    if expected.name.startswith("="):
        return arguments[int(expected.name[1:])]
    if expected.is_variable:
        return bindings.get(expected.name, UNKNOWN)
    if expected.name in _SIZED and not expected.children:
        return _SIZED[expected.name]
    children = tuple(resolved(child, arguments, bindings) for child in expected.children)
    return Type(expected.name, (), children, (None,) * len(children) if expected.name == "row" else ())
