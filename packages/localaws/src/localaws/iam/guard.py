"""The guard: decides on every need of every call, and writes the decisions into the call log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller
from localaws.core.shapes import Document, Params, Response
from localaws.iam import context as keys
from localaws.iam.conditions import UnknownOperator
from localaws.iam.decision import Decision, Policies, decide
from localaws.iam.directory import Directory
from localaws.iam.permissions.actions import Lookup, Need, needs_of
from localaws.iam.policy import Ask, MalformedPolicy, Requester
from localaws.iam.sessions import Sessions


class Log(Protocol):
    def write(self, **fields: Any) -> None: ...


class Guard:
    """`enforce` makes decisions count; without it they are only logged, as what they would have been, but for anonymous
    callers.
    """

    def __init__(self, directory: Directory, sessions: Sessions, lookup: Lookup, log: Log, *, enforce: bool) -> None:
        self._directory = directory
        self._sessions = sessions
        self._lookup = lookup
        self._log = log
        self._enforce = enforce

    def admit(
        self,
        service: str,
        action: str,
        params: Params,
        caller: Caller,
        *,
        request_context: keys.Context | None = None,
        request_id: str = "",
    ) -> list[Response]:
        """Check every need of a call; returns its lines for the call log, which `record` writes once the call has its
        answer. Raises AwsError AccessDenied, with the lines written, for the first need that is refused.
        """
        needs = needs_of(service, action, params, self._lookup)
        lines = [] if needs else [self._line(caller, Need(f"{service}:{action}", "*"), True, request_id)]
        for need in needs:
            context = keys.of_call(need.action, need.resource, params, self._directory) | (request_context or {})
            decision = self._decide(caller, need, context)
            lines.append(self._line(caller, need, decision.allowed, request_id))
            if self._enforces(caller) and not decision.allowed:
                self.record(lines, 403)
                raise denied(caller, need, decision)
        return lines

    def authorize(
        self, caller: Caller, action: str, resource: str, condition_keys: Mapping[str, str] | None = None
    ) -> None:
        """Check and log one permission that a service needs on a caller's behalf. Raises AwsError AccessDenied."""
        need = Need(action, resource)
        context = {name.lower(): [value] for name, value in (condition_keys or {}).items()}
        decision = self._decide(caller, need, keys.of_call(action, resource, {}, self._directory) | context)
        refused = self._enforces(caller) and not decision.allowed
        self.record([self._line(caller, need, decision.allowed, "")], 403 if refused else 200)
        if refused:
            raise denied(caller, need, decision)

    def assume(self, arn: str, service: str, session: str) -> Caller:
        """The caller that a service is in a role. Raises AwsError AccessDenied where there is no such role, or it does
        not trust the service.
        """
        name = arn.rpartition("/")[2]
        role = self._directory.role(name)
        who = Requester(arn=service, account="", service=service)
        context = {"aws:sourceaccount": [ACCOUNT], "aws:securetransport": ["true"], "aws:requestedregion": [REGION]}
        ask = Ask(who=who, action="sts:AssumeRole", resource=arn, context=context)
        trust = Policies(resource=role.trust if role else None, resource_decides=True)
        decision = self._decided(ask, trust)
        as_service = Caller(arn=service, account="", source=service.partition(".")[0])
        line = self._line(as_service, Need("sts:AssumeRole", arn), decision.allowed, "")
        self.record([line], 200 if decision.allowed else 403)
        if not decision.allowed:
            raise AwsError("AccessDenied", f"{service} is unable to assume role {arn}", status=403, _denied=True)
        return Caller(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", source=service.partition(".")[0])

    def authorize_service(
        self, principal: str, action: str, resource: str, condition_keys: Mapping[str, str] | None = None
    ) -> None:
        """Check and log what a service does in its own name, which only the policy of the resource can allow. Always
        enforced. Raises AwsError AccessDenied.
        """
        need = Need(action, resource)
        caller = Caller(arn=principal, account="", source=principal.partition(".")[0])
        context = {
            "aws:principalisawsservice": ["true"],
            "aws:principalservicename": [principal],
            "aws:securetransport": ["true"],
            **{name.lower(): [value] for name, value in (condition_keys or {}).items()},
        }
        ask = Ask(
            who=Requester(arn=principal, account="", service=principal),
            action=action,
            resource=resource,
            context=context,
        )
        policy, _ = self._of_resource(need)
        decision = self._decided(ask, Policies(resource=policy, resource_decides=True))
        self.record([self._line(caller, need, decision.allowed, "")], 200 if decision.allowed else 403)
        if not decision.allowed:
            raise denied(caller, need, decision)

    def record(self, lines: list[Document], status: int) -> None:
        """Write the lines of a call that was answered with `status`."""
        for line in lines:
            self._log.write(**line, status=status)

    def requester(self, caller: Caller) -> Requester:
        if ":assumed-role/" in caller.arn:
            role = self._directory.role(caller.arn.split("/")[1])
            return Requester(arn=caller.arn, account=caller.account, role=role.arn if role else "")
        return Requester(arn=caller.arn, account=caller.account)

    def context_of(self, caller: Caller) -> keys.Context:
        session = self._sessions.get(caller.session) if caller.session else None
        principal_id = session.principal_id if session else caller.account
        return keys.of_caller(caller, self._directory, principal_id)

    def _decide(self, caller: Caller, need: Need, condition_context: keys.Context) -> Decision:
        context = self.context_of(caller) | condition_context
        if need.passed_to:
            context["iam:passedtoservice"] = [need.passed_to]
        who = self.requester(caller)
        ask = Ask(who=who, action=need.action, resource=need.resource, context=context)
        return self._decided(ask, self._policies_of(who, caller, need))

    def _decided(self, ask: Ask, policies: Policies) -> Decision:
        try:
            return decide(ask, policies)
        except (MalformedPolicy, UnknownOperator) as error:
            return Decision(False, f"because a policy cannot be read: {error}")

    def _policies_of(self, who: Requester, caller: Caller, need: Need) -> Policies:
        of_resource, decides = self._of_resource(need)
        if who.is_root:
            return Policies(resource=of_resource, resource_decides=decides)
        name = who.arn.split("/")[1] if ":assumed-role/" in who.arn else who.arn.rpartition("/")[2]
        entity = self._directory.role(name) if ":assumed-role/" in who.arn else None
        if ":user/" in who.arn:
            entity = self._directory.user(name)
        session = self._sessions.get(caller.session) if caller.session else None
        return Policies(
            identity=entity.policies if entity else (),
            boundary=entity.boundary if entity else None,
            session=session.policies if session else None,
            resource=of_resource,
            resource_decides=decides,
        )

    def _of_resource(self, need: Need) -> tuple[str | None, bool]:
        """The policy of the resource itself, and whether nothing is allowed but by it."""
        if need.action == "sts:AssumeRole":
            role = self._directory.role(need.resource.rpartition("/")[2])
            return (role.trust if role else None), True
        if need.resource.startswith("arn:aws:s3:::"):
            return self._directory.bucket_policy(need.resource.removeprefix("arn:aws:s3:::").partition("/")[0]), False
        if need.resource.startswith("arn:aws:sqs:"):
            return self._directory.queue_policy(need.resource), False
        if need.resource.startswith("arn:aws:sns:"):
            return self._directory.topic_policy(need.resource), False
        return None, False

    def _enforces(self, caller: Caller) -> bool:
        """Whether decisions on a caller count: always for an anonymous one."""
        return self._enforce or caller.arn == "*"

    def _line(self, caller: Caller, need: Need, allowed: bool, request_id: str) -> Document:
        service, _, action = need.action.partition(":")
        return {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": service,
            "action": action,
            "resource": need.resource,
            "principal": caller.arn,
            "decision": "allowed" if allowed else "denied",
            "enforced": self._enforces(caller),
            "source": caller.source,
            "request_id": request_id,
        }


def denied(caller: Caller, need: Need, decision: Decision) -> AwsError:
    """The refusal in AWS's words; the gateway gives it the code of the service's protocol."""
    who = "User: anonymous" if caller.arn == "*" else f"User: {caller.arn}"
    on = f" on resource: {need.resource}" if need.resource != "*" else " on resource: *"
    message = f"{who} is not authorized to perform: {need.action}{on} {decision.reason}"
    return AwsError("AccessDenied", message, status=403, _denied=True)
