"""Alarms and their history, in one SQLite file."""

import json
import threading
import time
from pathlib import Path
from typing import NamedTuple

from localaws.core.shapes import Document
from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists alarms (name text primary key, document text not null);
create table if not exists history (
    id integer primary key, alarm text not null, kind text not null, at real not null, type text not null,
    summary text not null, data text not null
);
"""
HISTORY_DAYS = 30  # "DescribeAlarmHistory"

Alarm = Document  # as the API shows it, times as epoch seconds; plus "Kind" and "Tags"


class HistoryItem(NamedTuple):
    """One thing that happened to an alarm."""

    alarm: str
    kind: str  # MetricAlarm or CompositeAlarm
    at: float
    type: str  # ConfigurationUpdate, StateUpdate or Action
    summary: str
    data: str


class AlarmStore:
    """All alarms of the account. Hold `lock` from reading an alarm to saving its change."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._connection = open_database(path, _SCHEMA, autocommit=False)
        self._alarms: dict[str, Alarm] = {
            name: json.loads(document)
            for name, document in self._connection.execute("select name, document from alarms")
        }

    def close(self) -> None:
        with self.lock:
            self._connection.close()

    def all(self) -> list[Alarm]:
        with self.lock:
            return [dict(self._alarms[name]) for name in sorted(self._alarms)]

    def get(self, name: str) -> Alarm | None:
        with self.lock:
            alarm = self._alarms.get(name)
            return None if alarm is None else dict(alarm)

    def save(self, alarm: Alarm) -> None:
        with self.lock, self._connection as connection:
            connection.execute("insert or replace into alarms values (?, ?)", (alarm["AlarmName"], json.dumps(alarm)))
            self._alarms[alarm["AlarmName"]] = alarm

    def delete(self, name: str) -> None:
        with self.lock, self._connection as connection:
            connection.execute("delete from alarms where name = ?", (name,))
            self._alarms.pop(name, None)

    def record(self, alarm: Alarm, kind: str, summary: str, data: Document) -> None:
        """Add to an alarm's history, and forget what is too old."""
        now = time.time()
        with self.lock, self._connection as connection:
            connection.execute(
                "insert into history (alarm, kind, at, type, summary, data) values (?, ?, ?, ?, ?, ?)",
                (alarm["AlarmName"], alarm["Kind"], now, kind, summary, json.dumps(data)),
            )
            connection.execute("delete from history where at < ?", (now - HISTORY_DAYS * 86400,))

    def history(self) -> list[HistoryItem]:
        """Newest first."""
        with self.lock:
            rows = self._connection.execute(
                "select alarm, kind, at, type, summary, data from history order by id desc"
            ).fetchall()
        return [HistoryItem(*row) for row in rows]
