"""Who makes a call: access keys to callers, and the temporary credentials that roles are given.

The account's root has the key `localaws` with the secret `localaws`. Keys of the emulator's IAM users and of sessions made through its STS
are looked up there.
"""

import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from localaws.service import ACCOUNT, AwsError, Caller

ROOT_KEY = "localaws"
ROOT = Caller(arn=f"arn:aws:iam::{ACCOUNT}:root")
_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Temporary credentials of one caller."""

    access_key: str
    secret_key: str
    token: str
    expires: datetime


class Principals:
    """The access keys that this gateway has handed out. Safe to use from any thread."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._callers: dict[str, Caller] = {ROOT_KEY: ROOT}

    def caller_of(self, access_key: str) -> Caller:
        """The caller of an access key; a key that nobody handed out is the root's, as long as nothing is enforced."""
        return self._callers.get(access_key, ROOT)

    def grant(self, caller: Caller) -> Credentials:
        """New temporary credentials for a caller."""
        made = Credentials(
            access_key="ASIA" + secrets.token_hex(8).upper(),
            secret_key=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(60),
            expires=datetime.now(UTC) + _LIFETIME,
        )
        with self._turn:
            self._callers[made.access_key] = caller
        return made


def session_of(role: str, session: str, *, source: str = "external") -> Caller:
    """The caller that a role's session is. `role` is a name or an ARN. Raises AwsError for what is neither."""
    name = role.rpartition("/")[2]
    if not name:
        raise AwsError("ValidationException", f"{role!r} names no role")
    return Caller(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}", source=source)
