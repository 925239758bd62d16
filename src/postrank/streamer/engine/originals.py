"""The networks' original JSON, where it is asked for: rows on disk first, then objects in the raw bucket.

`raw/json/dt=YYYY-MM-DD/<collector>-<instant>-<random>.ndjson.gz`. The rows go past the stream, so that they
neither fill it nor delay a post: what is too large, or finds no room on the disk, is counted and not kept, and its post
is delivered all the same. A row may come twice after a crash.
"""

import gzip
import logging
import re
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson

from postrank.sources import Original
from postrank.streamer.engine.ledgers import PutObject, append_lines
from postrank.streamer.host.folder_claim import alone

log = logging.getLogger(__name__)
PREFIX = "raw/json/"  # in the raw bucket
ORIGINAL_LIMIT = 1_000_000  # bytes of a row
_OBJECT_BYTES = 8 << 20  # before gzip
_OBJECT_SECONDS = 60.0
_BLOCK = 1 << 20


@dataclass(slots=True)
class Tally:
    """What became of originals: kept, too large, or left out since the disk had no room."""

    rows: int = 0
    too_large: int = 0
    left_out: int = 0


class Originals:
    """Rows below one folder, which several processes (backfills) may share. At most `max_bytes` wait on disk.

    `add` and `flush` from one thread, `upload` and `waiting` from others.
    """

    def __init__(self, folder: Path, collector: str, max_bytes: int) -> None:
        self._folder = folder
        self._collector = collector
        self._max = max_bytes
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._full = False  # since the last object, so that this is logged once
        self._due = time.monotonic() + _OBJECT_SECONDS
        folder.mkdir(parents=True, exist_ok=True)
        self._rows, self._bytes = _waiting_in(folder)

    @property
    def waiting(self) -> int:
        """Rows that are not in the bucket yet."""
        with self._lock:
            return self._rows

    def add(self, originals: Iterable[Original], seen_at: str) -> Tally:
        """Take originals in; `seen_at` is in the contract's form. They are durable after `flush`."""
        tally = Tally()
        for original in originals:
            row = self._row(original, seen_at)
            if len(row) > ORIGINAL_LIMIT:
                tally.too_large += 1
                log.warning(
                    "original too large",
                    extra={"fields": {"post_id": original.post.post_id, "bytes": len(row), "limit": ORIGINAL_LIMIT}},
                )
            elif not self._admits(row):
                tally.left_out += 1
            else:
                tally.rows += 1
        return tally

    def flush(self) -> int:
        """Make the rows durable on this machine; returns how many had to be left out since that was not possible."""
        with self._lock:
            pending = self._pending
            self._pending = []
        if not pending:
            return 0
        try:
            with alone(self._folder):
                append_lines(self._folder / "rows.open", b"".join(pending))
        except OSError as error:
            log.error("originals left out", extra={"fields": {"rows": len(pending), "why": str(error)}})
            with self._lock:
                self._rows -= len(pending)
                self._bytes -= sum(map(len, pending))
            return len(pending)
        return 0

    def upload(self, put: PutObject, *, all_rows: bool = False) -> int:
        """Write objects of what is durable here, once there is enough for one; `all_rows`: of all. Returns how many."""
        self._rotate(all_rows=all_rows)
        done = 0
        for path in sorted(self._folder.glob("*.ndjson")):
            with suppress(FileNotFoundError):  # another process has done it
                body = path.read_bytes()
                put(f"{PREFIX}{path.name.replace('~', '/', 1)}.gz", gzip.compress(body, 6, mtime=0))
                path.unlink()
                done += 1
                with self._lock:
                    self._rows = max(self._rows - body.count(b"\n"), 0)
                    self._bytes = max(self._bytes - len(body), 0)
                    self._full = False
        return done

    def _row(self, original: Original, seen_at: str) -> bytes:
        post = original.post
        row = {
            "kind": "raw",
            "network": post.network,
            "post_id": post.post_id,
            "author_id": post.author_id,
            "posted_at": post.posted_at,
            "seen_at": seen_at,
            "collector": self._collector,
            "json": original.json.decode(errors="replace"),
        }
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)

    def _admits(self, row: bytes) -> bool:
        """Take a row in, if there is room for it."""
        with self._lock:
            full = self._bytes + len(row) > self._max
            if full and not self._full:
                log.error("originals left out", extra={"fields": {"why": f"{self._bytes} bytes wait for the bucket"}})
            self._full = self._full or full
            if not full:
                self._pending.append(row)
                self._rows += 1
                self._bytes += len(row)
            return not full

    def _rotate(self, *, all_rows: bool) -> None:
        """Close the open file for an object of its own when it is large or old."""
        path = self._folder / "rows.open"
        now = datetime.now(UTC)
        with self._lock, alone(self._folder):
            size = path.stat().st_size if path.exists() else 0
            if not size or not (all_rows or size >= _OBJECT_BYTES or time.monotonic() >= self._due):
                return
            self._due = time.monotonic() + _OBJECT_SECONDS
            safe = re.sub(r"[^A-Za-z0-9.-]", "-", self._collector)
            at = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z"
            path.rename(self._folder / f"dt={now:%Y-%m-%d}~{safe}-{at}-{uuid4().hex[:12]}.ndjson")


def _waiting_in(folder: Path) -> tuple[int, int]:
    """The rows and bytes that an earlier run left on disk."""
    rows = 0
    size = 0
    for path in (*folder.glob("*.open"), *folder.glob("*.ndjson")):
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                rows += block.count(b"\n")
                size += len(block)
    return rows, size
