"""Rules of composite alarms: ALARM("name"), OK(name), INSUFFICIENT_DATA(name), TRUE, FALSE, AND, OR, NOT, brackets.

Source: "PutCompositeAlarm" (API reference).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from localaws.services.cloudwatch.metrics.errors import invalid

_TOKEN = re.compile(
    r'\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|([^")\s]+))\s*\)|(AND|OR|NOT|TRUE|FALSE|[()]))'
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A node: a test of a state, a constant, or a connective with its parts."""

    kind: str  # ALARM, OK, INSUFFICIENT_DATA, TRUE, FALSE, AND, OR, NOT
    name: str = ""
    parts: tuple["Rule", ...] = ()


def parse(text: str) -> Rule:
    """Raises AwsError InvalidParameterValue for a rule that cannot be read."""
    tokens = list(_tokens(text))
    try:
        rule = _either(tokens, text)
    except RecursionError as error:
        raise invalid("Error in AlarmRule: it is nested too deep.") from error
    if tokens:
        raise _error(text)
    return rule


def names(rule: Rule) -> set[str]:
    """The alarms that a rule asks after, by name or ARN as written."""
    metric_names = {rule.name} if rule.name else set()
    return metric_names.union(*(names(part) for part in rule.parts))


def holds(rule: Rule, state: Callable[[str], str]) -> bool:
    """Whether the rule is true; `state` tells an alarm's state."""
    if rule.name:
        return state(rule.name) == rule.kind
    parts = (holds(part, state) for part in rule.parts)
    if rule.kind == "AND":
        return all(parts)
    if rule.kind == "OR":
        return any(parts)
    return not any(parts) if rule.kind == "NOT" else rule.kind == "TRUE"


def _tokens(text: str) -> Iterator[Rule]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _error(text)
        yield Rule(match[1], match[2] or match[3]) if match[1] else Rule(match[4])
        at = match.end()


def _either(tokens: list[Rule], text: str) -> Rule:
    parts = [_both(tokens, text)]
    while tokens and tokens[0].kind == "OR":
        tokens.pop(0)
        parts.append(_both(tokens, text))
    return parts[0] if len(parts) == 1 else Rule("OR", parts=tuple(parts))


def _both(tokens: list[Rule], text: str) -> Rule:
    parts = [_single(tokens, text)]
    while tokens and tokens[0].kind == "AND":
        tokens.pop(0)
        parts.append(_single(tokens, text))
    return parts[0] if len(parts) == 1 else Rule("AND", parts=tuple(parts))


def _single(tokens: list[Rule], text: str) -> Rule:
    if not tokens:
        raise _error(text)
    token = tokens.pop(0)
    if token.kind == "NOT":
        return Rule("NOT", parts=(_single(tokens, text),))
    if token.kind == "(":
        rule = _either(tokens, text)
        if not tokens or tokens.pop(0).kind != ")":
            raise _error(text)
        return rule
    if token.name or token.kind in ("TRUE", "FALSE"):
        return token
    raise _error(text)


def _error(text: str) -> Exception:
    return invalid(f"Error in AlarmRule: {text!r} cannot be read.")
