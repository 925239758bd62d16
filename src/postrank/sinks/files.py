"""Lines into files: rotated by size and time, finished files moved where others may take them, resumed after a crash.

`<folder>/open/<stream>.ndjson[.gz]` grows; when it is large or old enough it moves to
`<folder>/<stream>/<instant>-<number>.ndjson[.gz]`. A file that a crash left open is cut back to its last whole line or
gzip member: what lies behind it was never said to be durable.
"""

import logging
import os
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from postrank.sinks import Record, Unavailable

log = logging.getLogger(__name__)
_CHUNK = 1 << 20
_LOOK_SECONDS = 1.0  # at most, between looks at the age of the open files


@dataclass(slots=True)
class _Open:
    handle: int
    path: Path
    opened: float  # monotonic
    size: int


class FilesSink:
    """A folder. Records are durable when `put` returns."""

    def __init__(self, folder: Path, *, max_bytes: int, max_seconds: float, gzipped: bool) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._suffix = ".ndjson.gz" if gzipped else ".ndjson"
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._finished = 0
        self._closed = threading.Event()
        (folder / "open").mkdir(parents=True, exist_ok=True)
        for path in (folder / "open").glob("*.ndjson*"):
            self._resume(path)
        self._watch = threading.Thread(target=self._rotate, name="files", daemon=True)
        self._watch.start()

    def put(self, records: Sequence[Record]) -> None:
        """Append the records to the files of their streams. Raises Unavailable when the disk does not take them."""
        left = list(records)
        with self._lock:
            for stream in dict.fromkeys(record.stream for record in records):
                body = b"".join(record.data for record in records if record.stream == stream)
                try:
                    self._append(stream, body)
                except OSError as error:
                    raise Unavailable(str(error), left) from error
                left = [record for record in left if record.stream != stream]

    def gauges(self) -> Mapping[str, float]:
        return {"files_finished": float(self._finished)}

    def hurry(self) -> None:
        """A disk takes what it takes at once."""

    def close(self) -> None:
        """Move every open file to the finished ones."""
        self._closed.set()
        self._watch.join()
        with self._lock:
            for stream in list(self._open):
                self._finish(stream)

    def _append(self, stream: str, body: bytes) -> None:
        file = self._open.get(stream) or self._begin(stream, self._folder / "open" / f"{stream}{self._suffix}")
        try:
            rest = memoryview(body)
            while rest:
                rest = rest[os.write(file.handle, rest) :]
            os.fsync(file.handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file.handle, file.size)  # lest half a line stands before what is written next
            raise
        file.size += len(body)
        if file.size >= self._max_bytes:
            self._finish(stream)

    def _begin(self, stream: str, path: Path) -> _Open:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _sync_folder(path.parent)
        self._open[stream] = _Open(handle, path, time.monotonic(), path.stat().st_size)
        return self._open[stream]

    def _finish(self, stream: str) -> None:
        file = self._open.pop(stream)
        os.close(file.handle)
        target = self._folder / stream
        target.mkdir(exist_ok=True)
        self._finished += 1
        now = datetime.now(UTC)
        suffix = file.path.name.removeprefix(stream)
        file.path.rename(target / f"{now:%Y%m%dT%H%M%S.%fZ}-{self._finished:06d}{suffix}")
        _sync_folder(target)

    def _resume(self, path: Path) -> None:
        """Go on with a file that was left open; one of another form (`gzip` was changed) is finished."""
        os.truncate(path, _whole_members(path) if path.suffix == ".gz" else _whole_lines(path))
        if not path.stat().st_size:
            path.unlink()
            return
        stream = path.name.partition(".")[0]
        self._begin(stream, path)
        if path.name != f"{stream}{self._suffix}":
            self._finish(stream)

    def _rotate(self) -> None:
        """Finish files that are old enough, whether or not anything more is written to them."""
        while not self._closed.wait(min(_LOOK_SECONDS, self._max_seconds / 4)):
            with self._lock:
                now = time.monotonic()
                for stream in [name for name, file in self._open.items() if now - file.opened >= self._max_seconds]:
                    try:
                        self._finish(stream)
                    except OSError as error:  # it stays among the open ones, and is gone on with
                        log.error("file not finished", extra={"fields": {"stream": stream, "why": str(error)}})


def _whole_lines(path: Path) -> int:
    """Bytes up to the last newline."""
    at = path.stat().st_size
    with path.open("rb") as file:
        while at > 0:
            start = max(at - _CHUNK, 0)
            file.seek(start)
            newline = file.read(at - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            at = start
    return 0


def _whole_members(path: Path) -> int:
    """Bytes up to the end of the last whole gzip member."""
    whole = 0
    at = 0
    member = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        data = file.read(_CHUNK)
        while data:
            try:
                member.decompress(data)
            except zlib.error:
                return whole
            at += len(data) - len(member.unused_data)
            data = member.unused_data or file.read(_CHUNK)
            if member.eof:
                whole = at
                member = zlib.decompressobj(wbits=31)
    return whole


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
