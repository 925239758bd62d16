"""Small JSON documents that outlive the process: workgroups, saved statements, executions."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

from localaws.core.shapes import Document
from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists documents (
    kind text, key text, sequence integer primary key autoincrement, body text, unique (kind, key)
);
"""


class Documents:
    """Documents by kind and key, in one SQLite file; every write is on disk when it returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = open_database(path, _SCHEMA)

    def get(self, kind: str, key: str) -> Document | None:
        with self._lock:
            row = self._db.execute("select body from documents where kind = ? and key = ?", (kind, key)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, key: str, body: Document) -> None:
        """Write a document; an existing one keeps its place in the order."""
        with self._lock:
            self._db.execute(
                "insert into documents (kind, key, body) values (?, ?, ?)"
                " on conflict (kind, key) do update set body = excluded.body",
                (kind, key, json.dumps(body)),
            )

    def delete(self, kind: str, key: str) -> bool:
        with self._lock:
            return self._db.execute("delete from documents where kind = ? and key = ?", (kind, key)).rowcount > 0

    def all(self, kind: str) -> Iterator[Document]:
        """Documents of a kind, oldest first."""
        with self._lock:
            rows = self._db.execute("select body from documents where kind = ? order by sequence", (kind,)).fetchall()
        return (json.loads(row[0]) for row in rows)

    def close(self) -> None:
        with self._lock:
            self._db.close()
