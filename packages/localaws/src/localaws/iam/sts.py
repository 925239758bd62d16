"""STS: who the caller is, and temporary credentials."""

import re
from datetime import timedelta

from localaws.core.cloud import ACCOUNT, AwsError, Caller
from localaws.core.shapes import Document, Params, Response, Structure
from localaws.iam.directory import Directory, Entity
from localaws.iam.policy import MalformedPolicy, statements
from localaws.iam.sessions import Session, Sessions

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")  # "AssumeRole", RoleSessionName
_LEAST = 900  # seconds; "AssumeRole", DurationSeconds


class StsService:
    """AssumeRole and GetCallerIdentity; the rest is the emulator's."""

    name = "sts"
    actions = frozenset({"AssumeRole", "GetCallerIdentity"})

    def __init__(self, directory: Directory, sessions: Sessions) -> None:
        self._directory = directory
        self._sessions = sessions

    def handle(self, action: str, params: Params, caller: Caller) -> Structure:
        return self._assume(params, caller) if action == "AssumeRole" else self._identity(caller)

    def start(self) -> None:
        """Sessions are read when they are asked for."""

    def stop(self) -> None:
        self._sessions.close()

    def grant(self, name: str, session: str, lasts: timedelta) -> Session:
        """Credentials for a role that a process has been given, as an instance is. Raises AwsError NoSuchEntity."""
        role = self._directory.role(name.rpartition("/")[2])
        if role is None:
            raise AwsError("NoSuchEntity", f"The role with name {name[:64]} cannot be found.", status=404)
        return self._sessions.open(_session_arn(role, session), f"{role.id}:{session}", lasts)

    def _assume(self, params: Params, caller: Caller) -> Response:
        arn = str(params.get("RoleArn", ""))
        name = str(params.get("RoleSessionName", ""))
        if not _SESSION_NAME.fullmatch(name):
            raise _invalid(
                f"Value '{name[:80]}' at 'roleSessionName' failed to satisfy constraint: [\\w+=,.@-]{{2,64}}"
            )
        role = self._directory.role(arn.rpartition("/")[2])
        if role is None or role.arn != arn:
            message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", message, status=403)
        seconds = int(params.get("DurationSeconds") or 3600)
        if not _LEAST <= seconds <= role.max_session:
            raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
        session = self._sessions.open(
            _session_arn(role, name), f"{role.id}:{name}", timedelta(seconds=seconds), self._policies(params)
        )
        return {
            "Credentials": {
                "AccessKeyId": session.key,
                "SecretAccessKey": session.secret,
                "SessionToken": session.token,
                "Expiration": session.expires,
            },
            "AssumedRoleUser": {"AssumedRoleId": session.principal_id, "Arn": session.arn},
        }

    def _policies(self, params: Params) -> list[str] | None:
        """The session policies of a call, None where it names none."""
        documents = [str(params["Policy"])] if params.get("Policy") else []
        for entry in params.get("PolicyArns") or []:
            document = self._directory.managed_policy(str(entry.get("arn", "")))
            if document is None:
                raise AwsError("MalformedPolicyDocument", f"Policy {entry.get('arn')} does not exist.")
            documents.append(document)
        for document in documents:
            try:
                statements(document)
            except MalformedPolicy as error:
                raise AwsError("MalformedPolicyDocument", f"This policy contains invalid Json: {error}") from error
        return documents or None

    def _identity(self, caller: Caller) -> Document:
        session = self._sessions.get(caller.session) if caller.session else None
        user = self._directory.user(caller.arn.rpartition("/")[2]) if ":user/" in caller.arn else None
        user_id = session.principal_id if session else user.id if user else ACCOUNT
        return {"UserId": user_id, "Account": ACCOUNT, "Arn": caller.arn}


def _session_arn(role: Entity, session: str) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/{session}"


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", f"1 validation error detected: {message}")
