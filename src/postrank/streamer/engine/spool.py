"""The spool: records on disk while AWS is away. Bounded, checksummed, fsync'd, given back in order.

One file holds the records of one shipment: a line of JSON (CRC-32 of the rest, lines of each stream), then the
records. It appears under its name only when it is whole and durable.
"""

import errno
import os
import shutil
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import orjson

from postrank.errors import Retryable
from postrank.sinks import POSTS, WINDOWS, Record
from postrank.streamer.engine.checkpoint import sync_folder

_HEAD = struct.Struct("<BHII")  # stream, bytes of the key, lines, bytes of the data
_STREAMS = (POSTS, WINDOWS)
RESERVE = 32 << 20  # bytes of the disk that are left to the journal and the ledgers, without which nothing goes on


class SpoolFull(Retryable):
    """There is no room for these records until others have left."""


class SpoolDamaged(Retryable):
    """A file of the spool is not what was written.

    It was put aside, and its posts must be read again from the source.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"the spool file {path.name} is damaged and was kept as {path.name}.damaged")
        self.path = path


@dataclass(slots=True)
class _Entry:
    path: Path
    bytes: int
    post_lines: int


class Spool:
    """A folder of shipments, oldest first. Safe for several threads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max = max_bytes
        self._lock = threading.Lock()
        self.changed = threading.Condition(self._lock)
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        self._entries = [_entry(path) for path in sorted(folder.glob("*.ship"))]
        self._next = int(self._entries[-1].path.stem) + 1 if self._entries else 1

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(entry.bytes for entry in self._entries)

    @property
    def post_lines(self) -> int:
        """Lines of the posts stream that wait here."""
        with self._lock:
            return sum(entry.post_lines for entry in self._entries)

    def append(self, records: Sequence[Record]) -> None:
        """Make records durable behind all others. Raises SpoolFull, also for a full disk; OSError."""
        body = b"".join(map(_packed, records))
        lines = {stream: sum(r.lines for r in records if r.stream == stream) for stream in _STREAMS}
        head = orjson.dumps({"crc": crc32(body), "lines": lines}, option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            used = sum(entry.bytes for entry in self._entries)
            if used and used + len(head) + len(body) > self._max:
                raise SpoolFull(f"the spool holds {used} of {self._max} bytes")
            if shutil.disk_usage(self._folder).free < len(head) + len(body) + RESERVE:
                raise SpoolFull(f"the disk of {self._folder} has less than {RESERVE >> 20} MiB of room behind this")
            path = self._folder / f"{self._next:012d}.ship"
            try:
                _write_durably(path, head + body)
            except OSError as error:
                path.with_suffix(".new").unlink(missing_ok=True)
                if error.errno in (errno.ENOSPC, errno.EDQUOT):  # the disk has less room than the spool was promised
                    raise SpoolFull(f"the disk has no room: {error}") from error
                raise
            self._next += 1
            self._entries.append(_Entry(path, len(head) + len(body), lines[POSTS]))
            self.changed.notify_all()

    def first(self) -> list[Record] | None:
        """The oldest shipment; None when there is none. Raises SpoolDamaged, and has put it aside."""
        with self._lock:
            if not self._entries:
                return None
            entry = self._entries[0]
            head, _, body = entry.path.read_bytes().partition(b"\n")
            try:
                if orjson.loads(head)["crc"] == crc32(body):
                    return _unpacked(body)
            except (orjson.JSONDecodeError, KeyError, TypeError):  # TypeError: JSON, but no head
                pass
            entry.path.rename(entry.path.with_suffix(".ship.damaged"))
            self._entries.pop(0)
            raise SpoolDamaged(entry.path)

    def drop_first(self) -> None:
        """Forget the oldest shipment: it is durable elsewhere."""
        with self._lock:
            self._entries.pop(0).path.unlink()
            self.changed.notify_all()


def _entry(path: Path) -> _Entry:
    with path.open("rb") as file:
        head = file.readline()
    try:
        posts = int(orjson.loads(head)["lines"][POSTS])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        posts = 0  # `first` will put it aside
    return _Entry(path, path.stat().st_size, posts)


def _write_durably(path: Path, body: bytes) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_folder(path.parent)


def _packed(record: Record) -> bytes:
    key = record.key.encode()
    return _HEAD.pack(_STREAMS.index(record.stream), len(key), record.lines, len(record.data)) + key + record.data


def _unpacked(body: bytes) -> list[Record]:
    records = []
    at = 0
    while at < len(body):
        stream, key_bytes, lines, data_bytes = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        key = body[at : at + key_bytes].decode()
        at += key_bytes
        records.append(Record(_STREAMS[stream], key, body[at : at + data_bytes], lines))
        at += data_bytes
    return records
