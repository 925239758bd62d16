"""Reading posts again from files: native records, Twitter v1.1, X v2; plain, gz, bz2 or zst; at full speed or paced.

The cursor is `{"file": <number in the list>, "offset": <bytes of it done, decompressed>}`.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

import orjson

from postrank.errors import Fatal
from postrank.options import Options
from postrank.posts import Event, Post
from postrank.posts.events import LINE_LIMIT as REJECTED
from postrank.posts.times import moment
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.files.compressed import DAMAGED, open_decompressed, skip
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch, listed
from postrank.sources.files.pace import Pace

CHUNK = 1 << 18  # bytes read, and so about the size of a batch


class FileMissing(Fatal):
    """Files to replay cannot be read; the message names each."""

    def __init__(self, problems: dict[Path, str]) -> None:
        super().__init__("cannot replay " + "; ".join(f"{path}: {why}" for path, why in problems.items()))
        self.problems = problems


@dataclass(slots=True)
class Replay:
    """The lines of some files, in their order."""

    files: list[Path]
    pace: Pace = field(default_factory=Pace)
    line_limit: int = LINE_LIMIT
    name: str = "replay"
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, _: Surroundings) -> Self:
        """`files` (required), `speed`: 0 for as fast as possible, 1 for real time, N for N times as fast."""
        return cls(
            files=[Path(one) for one in listed(options)],
            pace=Pace(speed=options.number("speed", 0.0)),
            line_limit=options.whole("line_limit", LINE_LIMIT, at_least=1024),
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Every line after the cursor. Raises FileMissing before anything is read if any file is not there."""
        self._check()
        start = orjson.loads(after) if after else {"file": 0, "offset": 0}
        for number in range(start["file"], len(self.files)):
            offset = start["offset"] if number == start["file"] else 0
            for batch in self._file(number, offset):
                if self._stopped.is_set():
                    return
                yield batch

    def stop(self) -> None:
        self._stopped.set()

    def _check(self) -> None:
        problems = {}
        for path in self.files:
            try:
                with path.open("rb"):
                    pass
            except OSError as error:
                problems[path] = error.strerror or str(error)
        if problems:
            raise FileMissing(problems)

    def _file(self, number: int, offset: int) -> Iterator[Batch]:
        path = self.files[number]
        lines = LineBatch(where=path.name)
        file, kind = open_decompressed(path)
        with file:
            try:
                skip(file, kind, offset)
                for batch_end in read_lines(file, lines, offset, self.line_limit, each=self.pace.speed > 0):
                    offset = batch_end
                    yield from self._paced(lines.take(_cursor(number, offset)))
            except DAMAGED as error:
                lines.reject(f"the {kind} data ends or breaks here: {error}", b"", offset)
        yield lines.take(_cursor(number + 1, 0))

    def _paced(self, batch: Batch) -> Iterator[Batch]:
        """The batch at once; or, paced, a line's events one by one in their time, the last with the cursor."""
        if not self.pace.speed:
            yield batch
            return
        before, batch.events = batch.events[:-1], batch.events[-1:]
        for event in before:
            yield from self._due(event)
            yield Batch(cursor=None, events=[event], read=1)
        for event in batch.events:
            yield from self._due(event)
        batch.read -= len(before)
        yield batch

    def _due(self, event: Event) -> Iterator[Batch]:
        if type(event) is Post:
            yield from self.pace.until(moment(event.posted_at), self._stopped)


def read_lines(file: BinaryIO, lines: LineBatch, offset: int, limit: int, *, each: bool = False) -> Iterator[int]:
    """Add a file's lines to `lines`; yields the offset after the last whole line of a chunk, or (`each`) of every line.

    A line longer than `limit` is rejected and never held in memory as a whole.
    """
    # An unfinished line; of an overlong one: its start, and how many of its bytes are gone.
    rest, start, too_long = b"", b"", 0
    while chunk := file.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        if each or too_long or max(map(len, whole), default=0) > limit:
            for line in whole:
                if too_long or len(line) > limit:
                    lines.reject(f"line longer than {limit} bytes", start or line, offset)
                else:
                    lines.add(line, offset)
                offset += too_long + len(line) + 1
                start, too_long = b"", 0
                if each:
                    yield offset
        else:
            offset = lines.add_all(whole, offset)
        if too_long or len(rest) > limit:
            start, too_long, rest = start or rest[:REJECTED], too_long + len(rest), b""
        if whole and not each:
            yield offset
    if too_long:
        lines.reject(f"line longer than {limit} bytes", start, offset)
    elif rest:
        lines.add(rest, offset)


def _cursor(number: int, offset: int) -> Cursor:
    return orjson.dumps({"file": number, "offset": offset}).decode()
