"""The ledgers: gaps, rejects, and what each hop took and gave; rows on disk first, then objects in the raw bucket.

`ledgers/<kind>/dt=YYYY-MM-DD/<collector>-<instant>-<process>-<number>.ndjson`. A row may come twice after a crash; it
carries what tells that.
"""

import base64
import os
import re
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Protocol

import orjson

from postrank.documents import Document
from postrank.posts import Notice, Reject
from postrank.posts.times import to_text
from postrank.sources import Gap
from postrank.streamer.engine.reject_quota import STORED_PER_HOUR, Quota
from postrank.streamer.host.folder_claim import alone

_BLOCK = 1 << 16


class PutObject(Protocol):
    """Writes one object of the raw bucket."""

    def __call__(self, key: str, body: bytes, /) -> object: ...


class Ledgers:
    """Rows by kind, below one folder, which several processes (backfills) may share.

    `note_*` and `flush` from one thread, `upload` from another.
    """

    def __init__(self, folder: Path, prefix: str, collector: str, rejects_per_hour: int = STORED_PER_HOUR) -> None:
        self._folder = folder
        self._prefix = prefix
        self._collector = collector
        self._quota = Quota(rejects_per_hour)
        self._rows: dict[str, list[bytes]] = {}
        self._lock = threading.Lock()
        self._number = 0
        folder.mkdir(parents=True, exist_ok=True)

    def note_rejects(self, rejects: Iterable[Reject]) -> None:
        """Lines that broke the contract, up to the quota of their source and hour; the others are counted.

        `line` is text, or base64 where it is no UTF-8.
        """
        at = _now()
        now = datetime.now(UTC)
        for reject in rejects:
            with self._lock:
                if not self._quota.admits(reject.where, now):
                    continue
            try:
                line = reject.line.decode()
                encoding = "utf-8"
            except UnicodeDecodeError:
                line = base64.b64encode(reject.line).decode()
                encoding = "base64"
            row = {"source": reject.where, "offset": reject.offset, "reason": reject.reason, "line": line}
            lost = {"lines": 1, "posts": reject.posts, "at_least": reject.at_least}
            self._note("rejects", {**row, "line_encoding": encoding, **lost, "noted_at": at})

    def note_gaps(self, source: str, gaps: Iterable[Gap]) -> None:
        """Spans of the network's time that may be missing."""
        for gap in gaps:
            row = {"source": source, "gap_from": to_text(gap.since), "gap_to": to_text(gap.until), "reason": gap.reason}
            self._note("gaps", {**row, "recovered_by": gap.recovered_by, "noted_at": _now()})

    def note_notices(self, source: str, notices: Iterable[Notice]) -> None:
        """What a network asks of whoever keeps a post."""
        at = _now()
        for notice in notices:
            row = {"source": source, "kind": notice.kind, "post_id": notice.post_id, "author_id": notice.author_id}
            self._note("notices", {**row, "about": notice.about, "event_at": notice.at, "noted_at": at})

    def note_hops(self, hops: Mapping[str, Mapping[str, int]]) -> None:
        """What each hop took and gave so far, by hop."""
        at = _now()
        for hop, counts in hops.items():
            self._note("hop_counts", {"hop": hop, **counts, "noted_at": at})

    def flush(self) -> None:
        """Make the rows durable on this machine. Raises OSError; what is not written then is kept for the next time."""
        with self._lock, alone(self._folder):
            for kind, rows in list(self._rows.items()):
                append_lines(self._folder / f"{kind}.open", b"".join(rows))
                del self._rows[kind]

    def upload(self, put: PutObject) -> int:
        """Write what is durable here to the bucket; returns how many objects. What fails stays for the next time."""
        self._note_rejects_left_out()
        self._rotate()
        done = 0
        for path in sorted(self._folder.glob("*.ndjson")):
            kind, day, name = path.name.split("~")
            with suppress(FileNotFoundError):  # another process has done it
                put(f"{self._prefix}{kind}/dt={day}/{name}", path.read_bytes())
                path.unlink()
                done += 1
        return done

    def _note_rejects_left_out(self) -> None:
        """A row for each source of which more lines were rejected than are stored."""
        with self._lock:
            left_out = self._quota.take_left_out()
        for source, lines in left_out.items():
            reason = f"{lines} more lines were rejected: {self._quota.per_hour} of a source are stored an hour"
            row = {"source": source, "offset": None, "reason": reason, "line": "", "line_encoding": "utf-8"}
            self._note("rejects", {**row, "lines": lines, "noted_at": _now()})
        if left_out:
            self.flush()

    def _note(self, kind: str, row: Document) -> None:
        with self._lock:
            self._rows.setdefault(kind, []).append(
                orjson.dumps({"collector": self._collector, **row}, option=orjson.OPT_APPEND_NEWLINE)
            )

    def _rotate(self) -> None:
        now = datetime.now(UTC)
        safe = re.sub(r"[^A-Za-z0-9.-]", "-", self._collector)
        with self._lock, alone(self._folder):
            for path in self._folder.glob("*.open"):
                self._number += 1
                at = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z"
                name = f"{safe}-{at}-{os.getpid()}-{self._number:06d}.ndjson"
                path.rename(self._folder / f"{path.stem}~{now:%Y-%m-%d}~{name}")


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines durably, or nothing. A line that a crash cut off goes: the next would be part of it.

    Raises OSError.
    """
    with path.open("a+b", buffering=0) as file:
        before = _whole_lines(file)
        file.truncate(before)
        try:
            left = memoryview(lines)
            while left:  # a disk that is nearly full takes a part
                left = left[file.write(left) or 0 :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(before)
            raise


def _whole_lines(file: FileIO) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _now() -> str:
    return to_text(datetime.now(UTC))
