"""Which action a REST request is: matched against the method and URI template of every operation of the model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from localaws.wire.models import model

_LABEL = re.compile(r"\{(\w+)(\+?)\}")
_IGNORED = "x-id"  # names the action in a query, and is no part of the protocol


@dataclass(frozen=True, slots=True)
class Template:
    """An operation's method and URI. `query` are the fields that the URI itself names, `required` those and headers
    that the operation's input must have.
    """

    action: str
    method: str
    path: "re.Pattern[str]"
    labels: tuple[str, ...]
    query: frozenset[tuple[str, str]]
    required_query: frozenset[str]
    required_headers: frozenset[str]

    @property
    def weight(self) -> tuple[int, int, int]:
        return (len(self.query), len(self.required_query) + len(self.required_headers), -self.path.pattern.count("(?P"))


@cache
def templates(service: str) -> tuple[Template, ...]:
    """The templates of a service's operations, the most particular first."""
    found = model(service)
    made = [_template(found.operation_model(name)) for name in found.operation_names] if found else []
    return tuple(sorted(made, key=lambda one: one.weight, reverse=True))


def _template(operation: object) -> Template:
    http = operation.http  # type: ignore[attr-defined]
    path, _, query = http["requestUri"].partition("?")
    members = operation.input_shape.members if operation.input_shape else {}  # type: ignore[attr-defined]
    required = operation.input_shape.required_members if operation.input_shape else []  # type: ignore[attr-defined]
    placed = {name: members[name].serialization for name in required}
    pairs = [one.partition("=") for one in query.split("&") if one and not one.startswith(_IGNORED)]
    return Template(
        action=operation.name,  # type: ignore[attr-defined]
        method=http["method"],
        path=re.compile(_pattern(path)),
        labels=tuple(found[0] for found in _LABEL.findall(path)),
        query=frozenset((name, value) for name, _, value in pairs),
        required_query=frozenset(one["name"] for one in placed.values() if one.get("location") == "querystring"),
        required_headers=frozenset(one["name"].lower() for one in placed.values() if one.get("location") == "header"),
    )


def _pattern(path: str) -> str:
    made, last = "", 0
    for found in _LABEL.finditer(path):
        made += re.escape(path[last : found.start()]) + f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"
        last = found.end()
    return made + re.escape(path[last:]) + "/?$"


def match(
    service: str, method: str, path: str, fields: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[str, dict[str, str]] | None:
    """The action of a request and the labels of its (encoded) path, or None where no operation fits."""
    for one in templates(service):
        if one.method != method or not (found := one.path.match(path)):
            continue
        if all(name in fields and (not value or fields[name] == value) for name, value in one.query) and (
            one.required_query <= fields.keys() and one.required_headers <= headers.keys()
        ):
            return one.action, {name: unquote(text) for name, text in found.groupdict().items()}
    return None
