"""Temporary credentials: role sessions with their keys, kept over restarts until they expire."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists sessions (
    key text primary key, secret text not null, token text not null, arn text not null, principal_id text not null,
    expires real not null, policies text
) without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One set of temporary credentials. `policies` are session policies (documents), None where there are none."""

    key: str
    secret: str
    token: str
    arn: str
    principal_id: str  # "<role id>:<session name>"
    expires: datetime
    policies: tuple[str, ...] | None

    @property
    def expired(self) -> bool:
        return datetime.now(UTC) >= self.expires


class Sessions:
    """Sessions in SQLite. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._turn = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._db = open_database(path, _SCHEMA)
        self._db.execute("delete from sessions where expires < ?", (datetime.now(UTC).timestamp(),))
        for row in self._db.execute("select key, secret, token, arn, principal_id, expires, policies from sessions"):
            self._sessions[row[0]] = _session(row)

    def open(self, arn: str, principal_id: str, lasts: timedelta, policies: Sequence[str] | None = None) -> Session:
        """New credentials for a role's session."""
        session = Session(
            key="ASIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16)),
            secret=secrets.token_urlsafe(30),
            token="localaws/" + secrets.token_urlsafe(120),
            arn=arn,
            principal_id=principal_id,
            expires=datetime.now(UTC) + lasts,
            policies=None if policies is None else tuple(policies),
        )
        with self._turn:
            self._db.execute(
                "insert into sessions values (?, ?, ?, ?, ?, ?, ?)",
                (
                    session.key,
                    session.secret,
                    session.token,
                    session.arn,
                    session.principal_id,
                    session.expires.timestamp(),
                    None if session.policies is None else json.dumps(session.policies),
                ),
            )  # fmt: skip
            self._sessions[session.key] = session
        return session

    def get(self, key: str) -> Session | None:
        return self._sessions.get(key)

    def close(self) -> None:
        with self._turn:
            self._db.close()


def _session(row: "sqlite3.Row | tuple[str, str, str, str, str, float, str | None]") -> Session:
    key, secret, token, arn, principal_id, expires, policies = row
    return Session(
        key=key,
        secret=secret,
        token=token,
        arn=arn,
        principal_id=principal_id,
        expires=datetime.fromtimestamp(expires, UTC),
        policies=None if policies is None else tuple(json.loads(policies)),
    )
