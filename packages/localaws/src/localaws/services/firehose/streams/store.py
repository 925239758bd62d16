"""What Firehose must not forget: streams, how far each shard is delivered, and records put directly."""

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from localaws.core.shapes import Document
from localaws.core.sqlite import open_database

_SCHEMA = """
create table if not exists streams (name text primary key, document text not null);
create table if not exists checkpoints (
    incarnation text, shard text, kind text not null, position text not null, primary key (incarnation, shard)
);
create table if not exists records (
    id integer primary key autoincrement, incarnation text not null, arrived integer not null, data blob not null
);
create index if not exists records_of on records (incarnation, id);
"""


class Checkpoint(NamedTuple):
    """Where reading a shard resumes: "at" or "after" a position, or "ended" when all of it is delivered."""

    kind: str
    position: str


class Store:
    """One SQLite file in WAL mode, so that what was acknowledged outlives a killed process. Safe for many threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_database(path, _SCHEMA, autocommit=False)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def save_stream(self, name: str, document: Document) -> None:
        self._write("insert or replace into streams values (?, ?)", [(name, json.dumps(document))])

    def delete_stream(self, name: str, incarnation: str) -> None:
        with self._lock, self._connection as connection:
            connection.execute("delete from streams where name = ?", (name,))
            connection.execute("delete from checkpoints where incarnation = ?", (incarnation,))
            connection.execute("delete from records where incarnation = ?", (incarnation,))

    def streams(self) -> list[Document]:
        return [json.loads(text) for (text,) in self._all("select document from streams order by name")]

    def save_checkpoints(self, incarnation: str, checkpoints: Mapping[str, Checkpoint]) -> None:
        rows = [(incarnation, shard, *checkpoint) for shard, checkpoint in checkpoints.items()]
        self._write("insert or replace into checkpoints values (?, ?, ?, ?)", rows)

    def checkpoints(self, incarnation: str) -> dict[str, Checkpoint]:
        rows = self._all("select shard, kind, position from checkpoints where incarnation = ?", incarnation)
        return {shard: Checkpoint(kind, position) for shard, kind, position in rows}

    def add_records(self, incarnation: str, arrived: int, records: Iterable[bytes]) -> None:
        """Keep records put directly, all or none. `arrived` is in epoch milliseconds."""
        rows = [(incarnation, arrived, data) for data in records]
        self._write("insert into records (incarnation, arrived, data) values (?, ?, ?)", rows)

    def records(self, incarnation: str, after: int, most: int) -> list[tuple[int, int, bytes]]:
        """Records put directly, behind id `after`, up to `most` bytes: id, arrival (epoch ms), data."""
        records: list[tuple[int, int, bytes]] = []
        with self._lock:
            rows = self._connection.execute(
                "select id, arrived, data from records where incarnation = ? and id > ? order by id",
                (incarnation, after),
            )
            for row in rows:
                records.append(row)
                most -= len(row[2])
                if most <= 0:
                    break
            rows.close()
        return records

    def forget_records(self, incarnation: str, through: int) -> None:
        """Delete records put directly up to and with id `through`: they are delivered."""
        self._write("delete from records where incarnation = ? and id <= ?", [(incarnation, through)])

    def _write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        with self._lock, self._connection as connection:
            connection.executemany(statement, rows)

    def _all(self, query: str, *arguments: Any) -> list[Any]:
        with self._lock:
            return self._connection.execute(query, arguments).fetchall()
