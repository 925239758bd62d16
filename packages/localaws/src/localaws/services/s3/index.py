"""The index of S3: buckets, object versions and multipart uploads in SQLite.

One connection a thread reads; writes take turns. A row is what makes a file an object: it is committed after the file
is whole.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists buckets (name text primary key, created real not null, versioning text not null default '');
create table if not exists versions (
    seq integer primary key autoincrement, bucket text not null, key text not null, version text not null,
    latest integer not null, marker integer not null, file text not null, size integer not null, etag text not null,
    modified real not null, headers text not null, tags text not null, checksums text not null, parts text not null
);
create unique index if not exists current on versions (bucket, key) where latest = 1;
create unique index if not exists named on versions (bucket, key, version);
create table if not exists uploads (
    id text primary key, bucket text not null, key text not null, begun real not null, headers text not null,
    tags text not null, algorithm text not null
);
create index if not exists uploads_by_key on uploads (bucket, key);
create table if not exists parts (
    upload text not null, number integer not null, file text not null, size integer not null, etag text not null,
    modified real not null, checksums text not null, primary key (upload, number)
) without rowid;
create table if not exists notifications (bucket text primary key, configuration text not null) without rowid;
create table if not exists events (
    seq integer primary key autoincrement, destination text not null, record text not null
);
create table if not exists garbage (file text primary key, since real not null) without rowid;
"""


class Index:
    """The database. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._turn = threading.RLock()
        with self._turn:
            self.db.executescript(_SCHEMA)

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection, for reading."""
        if not hasattr(self._local, "db"):
            db = open_database(self._path, shared=False)
            db.row_factory = sqlite3.Row
            self._local.db = db
        connection: sqlite3.Connection = self._local.db
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of what is done within, or nothing."""
        with self._turn:
            db = self.db
            if db.in_transaction:  # nested in one of this thread
                yield db
                return
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                db.execute("rollback")
                raise
            db.execute("commit")


def after_prefix(prefix: str) -> str | None:
    """The least text that is greater than all that begins with `prefix`, or None where there is none."""
    trimmed = prefix.rstrip("\U0010ffff")
    if not trimmed:
        return None
    following = ord(trimmed[-1]) + 1
    return trimmed[:-1] + chr(0xE000 if following == 0xD800 else following)  # surrogates are no characters
