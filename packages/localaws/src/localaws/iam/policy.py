"""Policy documents: their statements, and which requests a statement is about.

Source of the rules: "IAM JSON policy element reference" and "IAM policy elements: Variables and tags".
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from localaws.core.shapes import Structure
from localaws.iam.conditions import LITERALS, Context, arn_like, holds, like

_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_LITERALS = {**LITERALS, "$": "$"}


class MalformedPolicy(ValueError):
    """A text that is no policy document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks. `arn` is a user's, a role session's, or root's; a session also has the role's own ARN."""

    arn: str
    account: str
    role: str = ""
    service: str = ""  # "firehose.amazonaws.com" when an AWS service asks on its own behalf

    @property
    def is_root(self) -> bool:
        return self.arn == f"arn:aws:iam::{self.account}:root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question: may `who` do `action` on `resource`? `context` has the request's condition keys."""

    who: Requester
    action: str  # "s3:GetObject"
    resource: str  # an ARN, or "*" where the action knows no resource
    context: Context


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; what the document does not say is None."""

    allows: bool
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: Mapping[str, tuple[str, ...]] | None
    not_principals: Mapping[str, tuple[str, ...]] | None
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]

    def applies(self, ask: Ask) -> bool:
        """Whether action, resource and conditions fit; principals are looked at apart."""
        return self._action(ask) and self._resource(ask) and self._conditions(ask)

    def names(self, who: Requester) -> str:
        """How the statement names the principal: "directly", by its "account" (which delegates), or "" not at all."""
        if self.not_principals is not None:
            return "" if _named(self.not_principals, who) else "directly"
        return _named(self.principals or {}, who)

    def _action(self, ask: Ask) -> bool:
        if self.not_actions is not None:
            return not any(like(pattern, ask.action, ignore_case=True) for pattern in self.not_actions)
        return any(like(pattern, ask.action, ignore_case=True) for pattern in self.actions or ())

    def _resource(self, ask: Ask) -> bool:
        if self.not_resources is not None:
            return not any(_resource_like(pattern, ask) for pattern in self.not_resources)
        if self.resources is None:  # a trust policy is about the role that it belongs to
            return True
        return any(_resource_like(pattern, ask) for pattern in self.resources)

    def _conditions(self, ask: Ask) -> bool:
        return all(
            holds(operator, key, [_filled(value, ask.context) or "" for value in values], ask.context)
            for operator, key, values in self.conditions
        )


def _resource_like(pattern: str, ask: Ask) -> bool:
    filled = _filled(pattern, ask.context)
    return filled is not None and arn_like(filled, ask.resource)


def _filled(pattern: str, context: Context) -> str | None:
    """`pattern` with its variables filled in; None when the request lacks one that has no default."""
    if "${" not in pattern:
        return pattern
    missing = False

    def fill(match: "re.Match[str]") -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        if name.strip() in _LITERALS:
            return _LITERALS[name.strip()]
        values = context.get(name.strip().lower())
        if values and len(values) == 1:
            return values[0]
        missing = missing or not default
        return default.strip().strip("'")

    filled = _VARIABLE.sub(fill, pattern)
    return None if missing else filled


def _named(principals: Mapping[str, tuple[str, ...]], who: Requester) -> str:
    for principal in principals.get("AWS", ()):
        if principal == "*" or principal in (who.arn, who.role):
            return "directly"
    if who.service and who.service in principals.get("Service", ()):
        return "directly"
    delegated = (who.account, f"arn:aws:iam::{who.account}:root")
    return (
        "account" if not who.service and any(principal in delegated for principal in principals.get("AWS", ())) else ""
    )


@lru_cache(maxsize=1024)
def statements(document: str) -> tuple[Statement, ...]:
    """The statements of a policy document. Raises MalformedPolicy."""
    try:
        parsed = json.loads(document)
        entries = parsed["Statement"]
        return tuple(_statement(entry) for entry in (entries if isinstance(entries, list) else [entries]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedPolicy(f"no policy document: {error}") from error


def _statement(raw: Structure) -> Statement:
    if raw["Effect"] not in ("Allow", "Deny"):
        raise ValueError(f"Effect is {raw['Effect']!r}")
    return Statement(
        allows=raw["Effect"] == "Allow",
        actions=_texts(raw.get("Action")),
        not_actions=_texts(raw.get("NotAction")),
        resources=_texts(raw.get("Resource")),
        not_resources=_texts(raw.get("NotResource")),
        principals=_principals(raw.get("Principal")),
        not_principals=_principals(raw.get("NotPrincipal")),
        conditions=tuple(
            (operator, key, _texts(values) or ())
            for operator, block in (raw.get("Condition") or {}).items()
            for key, values in block.items()
        ),
    )


def _texts(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    many: Sequence[Any] = value if isinstance(value, list) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in many)


def _principals(value: Any) -> dict[str, tuple[str, ...]] | None:
    if value is None:
        return None
    if value == "*":
        return {"AWS": ("*",)}
    return {kind: _texts(named) or () for kind, named in value.items()}
