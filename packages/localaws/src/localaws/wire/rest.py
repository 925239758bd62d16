"""Which action a REST request is: matched against the method and URI template of every operation of the model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from botocore.model import OperationModel

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
    """The templates of a service's operations, the most particular first; of two with one form, the deprecated last."""
    service_model = model(service)
    operations = (
        [service_model.operation_model(name) for name in service_model.operation_names] if service_model else []
    )
    parsed = [_template(operation) for operation in sorted(operations, key=lambda operation: operation.deprecated)]
    return tuple(sorted(parsed, key=lambda template: template.weight, reverse=True))


def _template(operation: OperationModel) -> Template:
    http = operation.http
    path, _, query = http["requestUri"].partition("?")
    members = operation.input_shape.members if operation.input_shape else {}
    required = operation.input_shape.required_members if operation.input_shape else []
    placed = {name: members[name].serialization for name in required}
    pairs = [pair.partition("=") for pair in query.split("&") if pair and not pair.startswith(_IGNORED)]
    return Template(
        action=operation.name,
        method=http["method"],
        path=re.compile(_pattern(path)),
        labels=tuple(label[0] for label in _LABEL.findall(path)),
        query=frozenset((name, value) for name, _, value in pairs),
        required_query=frozenset(pair["name"] for pair in placed.values() if pair.get("location") == "querystring"),
        required_headers=frozenset(
            pair["name"].lower() for pair in placed.values() if pair.get("location") == "header"
        ),
    )


def _pattern(path: str) -> str:
    pattern = ""
    last = 0
    for label in _LABEL.finditer(path):
        pattern += re.escape(path[last : label.start()]) + f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
        last = label.end()
    return pattern + re.escape(path[last:]) + "/?$"


def match(
    service: str, method: str, path: str, fields: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[str, dict[str, str]] | None:
    """The action of a request and the labels of its (encoded) path, or None where no operation fits."""
    for template in templates(service):
        if template.method != method or not (labels := template.path.match(path)):
            continue
        if all(name in fields and (not value or fields[name] == value) for name, value in template.query) and (
            template.required_query <= fields.keys() and template.required_headers <= headers.keys()
        ):
            return template.action, {name: unquote(text) for name, text in labels.groupdict().items()}
    return None
