"""Whether the policies in force allow a request.

Source of the rules: "Policy evaluation logic" (one account) and "Troubleshoot access denied error messages".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from localaws.iam.policy import Ask, Statement, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The documents that bear on one request; None where there is no policy of that kind."""

    identity: Sequence[str] = ()
    boundary: str | None = None
    session: Sequence[str] | None = None
    resource: str | None = None
    resource_decides: bool = False  # a role's trust policy must allow, whatever the caller's own policies say


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` ends the sentence "User: ... is not authorized to perform: ... on resource: ...", "" when allowed."""

    allowed: bool
    reason: str = ""


def decide(ask: Ask, policies: Policies) -> Decision:
    """The decision on one request."""
    if kind := _denying(ask, policies):
        return Decision(False, f"with an explicit deny in {_article(kind)} policy")
    by_resource = _grant_of_resource(ask, policies.resource)
    if not by_resource and (policies.resource_decides or ask.who.service):
        return _missing(ask, "resource-based policy")
    if by_resource == "directly" or ask.who.service:
        return Decision(True)
    grants = (
        ("identity-based policy", None if ask.who.is_root else policies.identity),
        ("permissions boundary", None if policies.boundary is None else [policies.boundary]),
        ("session policy", policies.session),
    )
    for kind, documents in grants:
        if documents is not None and not _grants(ask, documents):
            return _missing(ask, kind)
    return Decision(True)


def _missing(ask: Ask, kind: str) -> Decision:
    return Decision(False, f"because no {kind} allows the {ask.action} action")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _applying(ask: Ask, documents: Iterable[str]) -> Iterable[Statement]:
    return (statement for document in documents for statement in statements(document) if statement.applies(ask))


def _denying(ask: Ask, policies: Policies) -> str:
    kinds = (
        ("identity-based", [] if ask.who.is_root else policies.identity),
        ("permissions boundary", [policies.boundary] if policies.boundary is not None else []),
        ("session", policies.session or []),
    )
    for kind, documents in kinds:
        if any(not statement.allows for statement in _applying(ask, documents)):
            return kind
    if policies.resource is not None and any(
        not statement.allows and statement.names(ask.who) for statement in _applying(ask, [policies.resource])
    ):
        return "resource-based"
    return ""


def _grant_of_resource(ask: Ask, document: str | None) -> str:
    if document is None:
        return ""
    named = {statement.names(ask.who) for statement in _applying(ask, [document]) if statement.allows}
    return "directly" if "directly" in named else "account" if "account" in named else ""


def _grants(ask: Ask, documents: Sequence[str]) -> bool:
    return any(statement.allows for statement in _applying(ask, documents))
