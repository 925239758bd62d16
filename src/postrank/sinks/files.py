"""Lines into files: rotated by size and time, finished files moved where others may take them, resumed after a crash.

`<folder>/open/<stream>.ndjson[.gz]` grows; when it is large or old enough it moves to
`<folder>/<stream>/<instant>-<number>.ndjson[.gz]`. A file that a crash left open is cut back to its last whole write.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from postrank.sinks import Record, Unavailable


@dataclass(slots=True)
class _Open:
    file: BinaryIO
    path: Path
    opened: float  # monotonic


class FilesSink:
    """A folder. Records are durable when `put` returns."""

    def __init__(self, folder: Path, *, max_bytes: int, max_seconds: float, gzipped: bool) -> None:
        self._folder, self._max_bytes, self._max_seconds = folder, max_bytes, max_seconds
        self._suffix = ".ndjson.gz" if gzipped else ".ndjson"
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._finished = 0
        (folder / "open").mkdir(parents=True, exist_ok=True)
        for left in (folder / "open").glob("*.ndjson*"):
            if not left.name.endswith((".size", ".new")):
                _cut_back(left)

    def put(self, records: Sequence[Record]) -> None:
        """Append the records to the files of their streams. Raises Unavailable when the disk does not take them."""
        with self._lock:
            for stream in dict.fromkeys(record.stream for record in records):
                body = b"".join(record.data for record in records if record.stream == stream)
                try:
                    self._append(stream, body)
                except OSError as error:
                    raise Unavailable(str(error), records) from error

    def gauges(self) -> Mapping[str, float]:
        return {"files_finished": float(self._finished)}

    def hurry(self) -> None:
        """A disk takes what it takes at once."""

    def close(self) -> None:
        """Move every open file to the finished ones."""
        with self._lock:
            for stream in list(self._open):
                self._finish(stream)

    def _append(self, stream: str, body: bytes) -> None:
        found = self._open.get(stream) or self._begin(stream)
        found.file.write(body)
        found.file.flush()
        os.fsync(found.file.fileno())
        size = found.file.tell()
        _note_size(found.path, size)
        if size >= self._max_bytes or time.monotonic() - found.opened >= self._max_seconds:
            self._finish(stream)

    def _begin(self, stream: str) -> _Open:
        path = self._folder / "open" / f"{stream}{self._suffix}"
        self._open[stream] = _Open(path.open("ab"), path, time.monotonic())
        return self._open[stream]

    def _finish(self, stream: str) -> None:
        found = self._open.pop(stream)
        found.file.close()
        target = self._folder / stream
        target.mkdir(exist_ok=True)
        self._finished += 1
        now = datetime.now(UTC)
        found.path.rename(target / f"{now:%Y%m%dT%H%M%S.%fZ}-{self._finished:06d}{self._suffix}")
        _size_file(found.path).unlink(missing_ok=True)


def _size_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.size")


def _note_size(path: Path, size: int) -> None:
    """Remember how long the file is after a whole write."""
    fresh = path.with_name(f"{path.name}.size.new")
    fresh.write_text(str(size), encoding="ascii")
    fresh.rename(_size_file(path))


def _cut_back(path: Path) -> None:
    """Take away what a crash left half written."""
    note = _size_file(path)
    whole = int(note.read_text(encoding="ascii")) if note.exists() else 0
    os.truncate(path, min(whole, path.stat().st_size))
