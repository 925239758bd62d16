"""The journal: every call that changed the emulator, in order, so that a restart makes the same changes again.

A row is committed before the call is made, and the commit is in the kernel's hands: a killed server has lost nothing
that it acknowledged, and where nothing can be written nothing is changed. Each call runs from a seed of its own:
identifiers drawn in it are the same in a replay.
"""

import contextlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists calls (
    seq integer primary key autoincrement, time real not null, seed integer not null, method text not null,
    path text not null, query text not null, headers text not null, body blob not null, subject text
);
create index if not exists calls_by_subject on calls (subject) where subject is not null;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `subject` names what it overwrites whole: only the newest call of a subject is kept. `seq` orders the
    calls of a journal; it is given by the journal.
    """

    time: float
    seed: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    subject: str | None = None
    seq: int = 0


class Journal:
    """Calls kept in SQLite. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._turn = threading.Lock()
        self._db = open_database(path, _SCHEMA)
        self.id = self._db.execute("pragma user_version").fetchone()[0]
        if not self.id:  # a journal names itself, so that no snapshot of another is taken for its own
            self.id = 1 + secrets.randbelow(2**31 - 1)
            self._db.execute(f"pragma user_version = {self.id}")

    def append(self, call: Call) -> int:
        """Keep a call; returns its `seq`. Raises sqlite3.OperationalError on a full disk, with nothing kept."""
        values = (call.time, call.seed, call.method, call.path, call.query, json.dumps(dict(call.headers)), call.body)
        with self._turn:
            cursor = self._db.execute(
                "insert into calls (time, seed, method, path, query, headers, body, subject)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, call.subject),
            )
            return int(cursor.lastrowid or 0)

    def withdraw(self, seq: int) -> None:
        """Forget a call that changed nothing after all. Where that cannot be written, a replay is told so again."""
        with self._turn, contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("delete from calls where seq = ?", (seq,))

    def supersede(self, subject: str, seq: int) -> None:
        """Forget the calls of a subject before that one. Where that cannot be written, a replay makes them all."""
        with self._turn, contextlib.suppress(sqlite3.OperationalError):
            self._db.execute("delete from calls where subject = ? and seq < ?", (subject, seq))

    def calls(self, after: int = 0) -> Iterator[Call]:
        """Every call kept behind that one, oldest first."""
        rows = self._db.execute(
            "select seq, time, seed, method, path, query, headers, body, subject from calls where seq > ? order by seq",
            (after,),
        ).fetchall()
        for seq, time, seed, method, path, query, headers, body, subject in rows:
            yield Call(
                seq=seq,
                time=time,
                seed=seed,
                method=method,
                path=path,
                query=query,
                headers=json.loads(headers),
                body=body,
                subject=subject,
            )

    def close(self) -> None:
        with self._turn:
            self._db.close()
