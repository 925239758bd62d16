"""Condition blocks of policies: the operators and how they treat keys that a request does not have.

Source of the rules: "IAM JSON policy elements: Condition operators", "Conditions with multiple context keys or values".
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

Context = Mapping[str, Sequence[str]]  # lower-case key -> the request's values


class UnknownOperator(ValueError):
    """A condition operator that IAM does not have."""


# What the variables ${*} and ${?} leave in a pattern: characters of no meaning, which stand for the wildcards' own.
LITERALS = {"*": "\ue000", "?": "\ue001"}
_CHARACTERS = str.maketrans({mark: character for character, mark in LITERALS.items()})
_WILDCARDS = {"*": ".*", "?": "."}


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool) -> "re.Pattern[str]":
    parts = (_WILDCARDS.get(character) or re.escape(character.translate(_CHARACTERS)) for character in pattern)
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `value` matches `pattern`, in which * stands for any text and ? for one character."""
    return _glob(pattern, ignore_case).fullmatch(value) is not None


def arn_like(pattern: str, value: str) -> bool:
    """As `like`, each of the six parts of an ARN for itself; "*" alone matches all."""
    if pattern == "*":
        return True
    pattern_parts = pattern.split(":", 5)
    value_parts = value.split(":", 5)
    return len(pattern_parts) == len(value_parts) and all(
        like(want, give) for want, give in zip(pattern_parts, value_parts, strict=True)
    )


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _inside(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(float(actual), float(expected))


def _dated(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda expected, actual: compare(_moment(actual), _moment(expected))


# Operator (lower case) -> (test of one expected against one actual value, whether the operator is its negation).
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "stringequals": (lambda expected, actual: expected == actual, False),
    "stringnotequals": (lambda expected, actual: expected == actual, True),
    "stringequalsignorecase": (lambda expected, actual: expected.lower() == actual.lower(), False),
    "stringnotequalsignorecase": (lambda expected, actual: expected.lower() == actual.lower(), True),
    "stringlike": (like, False),
    "stringnotlike": (like, True),
    "bool": (lambda expected, actual: expected.lower() == actual.lower(), False),
    "binaryequals": (lambda expected, actual: expected == actual, False),
    "arnequals": (arn_like, False),
    "arnlike": (arn_like, False),
    "arnnotequals": (arn_like, True),
    "arnnotlike": (arn_like, True),
    "ipaddress": (_inside, False),
    "notipaddress": (_inside, True),
    "numericequals": (_numeric(lambda actual, expected: actual == expected), False),
    "numericnotequals": (_numeric(lambda actual, expected: actual == expected), True),
    "numericlessthan": (_numeric(lambda actual, expected: actual < expected), False),
    "numericlessthanequals": (_numeric(lambda actual, expected: actual <= expected), False),
    "numericgreaterthan": (_numeric(lambda actual, expected: actual > expected), False),
    "numericgreaterthanequals": (_numeric(lambda actual, expected: actual >= expected), False),
    "dateequals": (_dated(lambda actual, expected: actual == expected), False),
    "datenotequals": (_dated(lambda actual, expected: actual == expected), True),
    "datelessthan": (_dated(lambda actual, expected: actual < expected), False),
    "datelessthanequals": (_dated(lambda actual, expected: actual <= expected), False),
    "dategreaterthan": (_dated(lambda actual, expected: actual > expected), False),
    "dategreaterthanequals": (_dated(lambda actual, expected: actual >= expected), False),
}


def holds(operator: str, key: str, expected: Sequence[str], context: Context) -> bool:
    """Whether one line of a Condition block holds. Raises UnknownOperator."""
    quantifier, _, rest = operator.rpartition(":")
    name = rest.lower()
    values = context.get(key.lower())
    if name == "null":
        return all((values is None) == (flag.lower() == "true") for flag in expected)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name not in _OPERATORS:
        raise UnknownOperator(f"{operator} is no condition operator")
    test, negated = _OPERATORS[name]
    if values is None:
        return if_exists or (negated if not quantifier else quantifier.lower() == "forallvalues")

    def matches(value: str) -> bool:
        return _any(test, expected, value) != negated

    if quantifier.lower() == "forallvalues":
        return all(matches(value) for value in values)
    if quantifier.lower() == "foranyvalue":
        return any(matches(value) for value in values)
    return any(_any(test, expected, value) for value in values) != negated


def _any(test: Callable[[str, str], bool], expected: Sequence[str], value: str) -> bool:
    for candidate in expected:
        try:
            if test(candidate if test in (like, arn_like) else candidate.translate(_CHARACTERS), value):
                return True
        except ValueError:  # what is no number, date or address equals none
            continue
    return False
