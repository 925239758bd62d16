"""The record store: one SQLite file in WAL mode, so that what was acknowledged outlives a killed process."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from localaws.core.shapes import Document
from localaws.core.sqlite import open_database

_PRAGMAS = ("page_size = 16384", "wal_autocheckpoint = 2000")
_POSITIONS = 2**40  # positions a shard can have; a row's id is shard key * _POSITIONS + position
_SCHEMA = """
create table if not exists streams (name text primary key, document text not null);
create table if not exists records (
    id integer primary key, arrived integer not null, partition_key text not null, data blob not null
);
"""


class Record(NamedTuple):
    """A record as stored. `arrived` is in epoch milliseconds and never falls within a shard."""

    position: int
    arrived: int
    partition_key: str
    data: bytes


class RecordStore:
    """Records by (shard key, position from 1) and streams as documents. Safe for use by many threads."""

    def __init__(self, path: Path) -> None:
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._writer = open_database(path, _SCHEMA, autocommit=False, pragmas=_PRAGMAS)
        self._reader = open_database(path, autocommit=False, pragmas=_PRAGMAS)

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()

    def append(self, rows: Iterable[tuple[int, Record]]) -> None:
        """Store records of one call, all or none. Committed to the operating system when this returns."""
        with self._write_lock, self._writer:
            self._writer.executemany(
                "insert into records values (?, ?, ?, ?)",
                ((shard * _POSITIONS + row.position, row.arrived, row.partition_key, row.data) for shard, row in rows),
            )

    def read(self, shard: int, after: int, limit: int, most: int) -> list[Record]:
        """Records behind position `after`, in order: up to `limit`, and up to `most` bytes (the first one always)."""
        records: list[Record] = []
        size = 0
        with self._read_lock:
            rows = self._reader.execute(
                "select id, arrived, partition_key, data from records where id > ? and id < ? order by id limit ?",
                (shard * _POSITIONS + after, (shard + 1) * _POSITIONS, limit),
            )
            for id_, arrived, key, data in rows:
                size += len(data)
                if size > most and records:
                    break
                records.append(Record(id_ % _POSITIONS, arrived, key, data))
            rows.close()
        return records

    def arrival_after(self, shard: int, after: int) -> int | None:
        """When the record that follows position `after` arrived (epoch ms); None if none follows."""
        return self._scalar(
            "select arrived from records where id > ? and id < ? order by id limit 1",
            (shard * _POSITIONS + after, (shard + 1) * _POSITIONS),
        )

    def newest(self, shard: int) -> tuple[int, int]:
        """Position and arrival (epoch ms) of a shard's last record; (0, 0) if it holds none."""
        sequence = self._edge(shard, "desc")
        return sequence or (0, 0)

    def before(self, shard: int, moment: int) -> int:
        """The last position that arrived before `moment` (epoch ms), found by bisection; 0 if there is none."""
        first = self._edge(shard, "asc")
        last = self._edge(shard, "desc")
        if first is None or last is None or first[1] >= moment:
            return first[0] - 1 if first else 0
        low = first[0]
        high = last[0]
        while low < high:
            middle = (low + high + 1) // 2
            arrived = self._scalar("select arrived from records where id = ?", (shard * _POSITIONS + middle,))
            if arrived is not None and arrived < moment:
                low = middle
            else:
                high = middle - 1
        return low

    def trim(self, shard: int, through: int) -> int:
        """Forget a shard's records up to and with position `through`; the number forgotten."""
        with self._write_lock, self._writer:
            cursor = self._writer.execute(
                "delete from records where id > ? and id <= ?", (shard * _POSITIONS, shard * _POSITIONS + through)
            )
            return cursor.rowcount

    def save_stream(self, name: str, document: Document) -> None:
        with self._write_lock, self._writer:
            self._writer.execute("insert or replace into streams values (?, ?)", (name, json.dumps(document)))

    def delete_stream(self, name: str, shards: Iterable[int]) -> None:
        with self._write_lock, self._writer:
            self._writer.execute("delete from streams where name = ?", (name,))
            for shard in shards:
                self._writer.execute(
                    "delete from records where id >= ? and id < ?", (shard * _POSITIONS, (shard + 1) * _POSITIONS)
                )

    def streams(self) -> list[Document]:
        with self._read_lock:
            return [json.loads(text) for (text,) in self._reader.execute("select document from streams order by name")]

    def _edge(self, shard: int, order: str) -> tuple[int, int] | None:
        with self._read_lock:
            row = self._reader.execute(
                f"select id, arrived from records where id > ? and id < ? order by id {order} limit 1",  # noqa: S608
                (shard * _POSITIONS, (shard + 1) * _POSITIONS),
            ).fetchone()
        return (row[0] % _POSITIONS, row[1]) if row else None

    def _scalar(self, query: str, arguments: tuple[int, ...]) -> int | None:
        with self._read_lock:
            row = self._reader.execute(query, arguments).fetchone()
        return int(row[0]) if row else None
