"""Applications and job runs, as the API describes them, in one SQLite file."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document
from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists applications (id text primary key, token text, record text not null);
create table if not exists runs (id text primary key, application text not null, token text, record text not null);
"""
_TIMES = frozenset({"createdAt", "updatedAt", "attemptCreatedAt", "attemptUpdatedAt", "startedAt", "endedAt"})


class Records:
    """What the service knows, for all threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "records.sqlite"
        self._turn = threading.RLock()
        self._opened: sqlite3.Connection | None = None

    def add_application(self, token: str, record: Document) -> Document:
        """Store a new application, or return the one that was created with the same token."""
        with self._turn:
            row = self._database.execute("select record from applications where token = ?", [token]).fetchone()
            if row:
                return _parsed(row[0])
            self._database.execute(
                "insert into applications values (?, ?, ?)", [record["applicationId"], token, _text(record)]
            )
            return record

    def add_run(self, token: str, record: Document) -> tuple[Document, bool]:
        """Store a new run, or return the one that was started with the same token; and whether it is new."""
        with self._turn:
            row = self._database.execute(
                "select record from runs where token = ? and application = ?", [token, record["applicationId"]]
            ).fetchone()
            if row:
                return _parsed(row[0]), False
            self._database.execute(
                "insert into runs values (?, ?, ?, ?)",
                [record["jobRunId"], record["applicationId"], token, _text(record)],
            )
            return record, True

    def application(self, name: str) -> Document:
        """Raises AwsError ResourceNotFoundException."""
        row = self._row("select record from applications where id = ?", [name])
        if row is None:
            raise AwsError("ResourceNotFoundException", f"Application {name} does not exist", status=404)
        return row

    def run(self, application: str, name: str) -> Document:
        """Raises AwsError ResourceNotFoundException."""
        row = self._row("select record from runs where id = ? and application = ?", [name, application])
        if row is None:
            raise AwsError("ResourceNotFoundException", f"Job run {name} does not exist", status=404)
        return row

    def applications(self) -> list[Document]:
        """All of them, newest first."""
        return self._rows("select record from applications order by rowid desc", [])

    def runs(self, application: str | None = None) -> list[Document]:
        """Those of one application, or all; newest first."""
        if application is None:
            return self._rows("select record from runs order by rowid desc", [])
        return self._rows("select record from runs where application = ? order by rowid desc", [application])

    @contextmanager
    def changed_application(self, name: str) -> Iterator[Document]:
        """An application to change; it is stored when the block ends without an error."""
        with self._turn:
            record = self.application(name)
            yield record
            record["updatedAt"] = datetime.now(UTC)
            self._database.execute("update applications set record = ? where id = ?", [_text(record), name])

    @contextmanager
    def changed_run(self, application: str, name: str) -> Iterator[Document]:
        """A run to change; it is stored when the block ends without an error."""
        with self._turn:
            record = self.run(application, name)
            yield record
            record["updatedAt"] = datetime.now(UTC)
            self._database.execute("update runs set record = ? where id = ?", [_text(record), name])

    @property
    def exist(self) -> bool:
        """Whether anything was ever stored: a cloud without applications opens no file."""
        return self._path.exists()

    @property
    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = open_database(self._path, _SCHEMA)
        return self._opened

    def _row(self, statement: str, values: list[str]) -> Document | None:
        return next(iter(self._rows(statement, values)), None)

    def _rows(self, statement: str, values: list[str]) -> list[Document]:
        with self._turn:
            return [_parsed(row[0]) for row in self._database.execute(statement, values)]


def _text(record: Document) -> str:
    return json.dumps(record, default=lambda moment: moment.isoformat())


def _parsed(text: str) -> Document:
    record: Document = json.loads(text)
    return {name: datetime.fromisoformat(value) if name in _TIMES else value for name, value in record.items()}
