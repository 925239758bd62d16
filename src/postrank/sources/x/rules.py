"""The rules of the filtered stream: checked here, tried at X without effect, then made to be what was configured."""

from collections.abc import Iterable
from dataclasses import dataclass

import tweepy

from postrank.errors import Fatal
from postrank.options import Options
from postrank.sources.x.api import Api

MOST = 1000
LONGEST = 1024  # rules, characters of one
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; two with the same value and tag are the same rule."""

    value: str
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes the stream's rules the configured ones."""

    add: list[Rule]
    delete: list[str]  # ids
    keep: int


class RulesRefused(Fatal):
    """X does not take some of the rules; the message says which and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("X refuses rules: " + "; ".join(problems))
        self.problems = problems


def configured(options: Options) -> list[Rule]:
    """`[[source.rules]]` with `value` and, optionally, `tag`. What is wrong with them is noted in the options."""
    rules = []
    for number, table in enumerate(options.tables("rules")):
        rule = Rule(table.text("value"), table.text("tag", "-"))
        rule = Rule(rule.value, None) if rule.tag == "-" else rule
        table.reject_unknown()
        for why in problems_of(rule):
            options.wrong(f"rules[{number}]", why)
        rules.append(rule)
    if len(rules) > MOST:
        options.wrong("rules", f"are {len(rules)}; X takes {MOST}")
    if len(set(rules)) < len(rules):
        options.wrong("rules", "name one rule twice")
    return rules


def problems_of(rule: Rule) -> list[str]:
    """What can be seen to be wrong without asking X."""
    problems = []
    if len(rule.value) > LONGEST:
        problems.append(f"has {len(rule.value)} characters; X takes {LONGEST}")
    unquoted = rule.value.replace('\\"', "").split('"')
    if len(unquoted) % 2 == 0:
        problems.append("has a quotation mark without its partner")
    depth = 0
    for mark in "".join(unquoted[::2]):
        depth += (mark == "(") - (mark == ")")
        if depth < 0:
            break
    if depth:
        problems.append("has a parenthesis without its partner")
    return problems


def plan(api: Api, rules: Iterable[Rule]) -> Plan:
    """Compare what is wanted with what the stream has."""
    rules = list(rules)
    have = {Rule(existing["value"], existing.get("tag")): existing["id"] for existing in api.rules()}
    return Plan(
        add=[rule for rule in rules if rule not in have],
        delete=[number for rule, number in have.items() if rule not in rules],
        keep=sum(rule in have for rule in rules),
    )


def sync(api: Api, rules: Iterable[Rule], *, dry_run: bool = False) -> Plan:
    """Make the rules what is wanted; with `dry_run` X only checks them. Raises RulesRefused before anything changes.

    New rules are added before old ones go, so that no post falls between, unless both together are too many.
    """
    todo = plan(api, rules)
    _add(api, todo.add, dry_run=True)
    if dry_run:
        return todo
    if len(todo.add) + len(todo.delete) + todo.keep > MOST:
        _delete(api, todo.delete)
        _add(api, todo.add)
    else:
        _add(api, todo.add)
        _delete(api, todo.delete)
    return todo


def _add(api: Api, rules: list[Rule], *, dry_run: bool = False) -> None:
    for start in range(0, len(rules), _AT_ONCE):
        part = [tweepy.StreamRule(value=rule.value, tag=rule.tag) for rule in rules[start : start + _AT_ONCE]]
        answer = api.add_rules(part, **({"dry_run": True} if dry_run else {}))
        if errors := answer.get("errors"):
            raise RulesRefused([_reason(error) for error in errors])


def _delete(api: Api, ids: list[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        api.delete_rules(ids[start : start + _AT_ONCE])


def _reason(error: dict[str, object]) -> str:
    details = error.get("details") or error.get("detail") or error.get("title")
    why = " ".join(str(detail) for detail in details) if isinstance(details, list) else str(details)
    return f"{error.get('value', 'a rule')!r}: {why}"
