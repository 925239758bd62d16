"""Condition blocks of policies: the operators and how they treat keys that a request does not have.

Source of the rules: "IAM JSON policy elements: Condition operators", "Conditions with multiple context keys or values".
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import translate
from functools import lru_cache

Context = Mapping[str, Sequence[str]]  # lower-case key -> the request's values


class UnknownOperator(ValueError):
    """A condition operator that IAM does not have."""


@lru_cache(maxsize=4096)
def _glob(pattern: str, ignore_case: bool) -> "re.Pattern[str]":
    # fnmatch knows [sets], which IAM does not: they are escaped first.
    return re.compile(translate(pattern.replace("[", "[[]")), re.IGNORECASE if ignore_case else 0)


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Whether `value` matches `pattern`, in which * stands for any text and ? for one character."""
    return _glob(pattern, ignore_case).match(value) is not None


def arn_like(pattern: str, value: str) -> bool:
    """As `like`, each of the six parts of an ARN for itself; "*" alone matches all."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(like(want, give) for want, give in zip(wanted, given, strict=True))


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _inside(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)


def _numeric(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, given: compare(float(given), float(wanted))


def _dated(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda wanted, given: compare(_moment(given), _moment(wanted))


# Operator (lower case) -> (test of one wanted against one given value, whether the operator is its negation).
_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "stringequals": (lambda wanted, given: wanted == given, False),
    "stringnotequals": (lambda wanted, given: wanted == given, True),
    "stringequalsignorecase": (lambda wanted, given: wanted.lower() == given.lower(), False),
    "stringnotequalsignorecase": (lambda wanted, given: wanted.lower() == given.lower(), True),
    "stringlike": (like, False),
    "stringnotlike": (like, True),
    "bool": (lambda wanted, given: wanted.lower() == given.lower(), False),
    "binaryequals": (lambda wanted, given: wanted == given, False),
    "arnequals": (arn_like, False),
    "arnlike": (arn_like, False),
    "arnnotequals": (arn_like, True),
    "arnnotlike": (arn_like, True),
    "ipaddress": (_inside, False),
    "notipaddress": (_inside, True),
    "numericequals": (_numeric(lambda given, wanted: given == wanted), False),
    "numericnotequals": (_numeric(lambda given, wanted: given == wanted), True),
    "numericlessthan": (_numeric(lambda given, wanted: given < wanted), False),
    "numericlessthanequals": (_numeric(lambda given, wanted: given <= wanted), False),
    "numericgreaterthan": (_numeric(lambda given, wanted: given > wanted), False),
    "numericgreaterthanequals": (_numeric(lambda given, wanted: given >= wanted), False),
    "dateequals": (_dated(lambda given, wanted: given == wanted), False),
    "datenotequals": (_dated(lambda given, wanted: given == wanted), True),
    "datelessthan": (_dated(lambda given, wanted: given < wanted), False),
    "datelessthanequals": (_dated(lambda given, wanted: given <= wanted), False),
    "dategreaterthan": (_dated(lambda given, wanted: given > wanted), False),
    "dategreaterthanequals": (_dated(lambda given, wanted: given >= wanted), False),
}


def holds(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    """Whether one line of a Condition block holds. Raises UnknownOperator."""
    quantifier, _, rest = operator.rpartition(":")
    name, given = rest.lower(), context.get(key.lower())
    if name == "null":
        return all((given is None) == (one.lower() == "true") for one in wanted)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name not in _OPERATORS:
        raise UnknownOperator(f"{operator} is no condition operator")
    test, negated = _OPERATORS[name]
    if given is None:
        return if_exists or (negated if not quantifier else quantifier.lower() == "forallvalues")

    def matches(value: str) -> bool:
        return _any(test, wanted, value) != negated

    if quantifier.lower() == "forallvalues":
        return all(matches(value) for value in given)
    if quantifier.lower() == "foranyvalue":
        return any(matches(value) for value in given)
    return any(_any(test, wanted, value) for value in given) != negated


def _any(test: Callable[[str, str], bool], wanted: Sequence[str], value: str) -> bool:
    for one in wanted:
        try:
            if test(one, value):
                return True
        except ValueError:  # what is no number, date or address equals none
            continue
    return False
