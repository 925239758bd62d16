"""Reading posts again from files in any form that `files` reads, at full speed or paced.

The cursor is `{"file": <number in the list>, "offset": <how much of it is done, as the file's reader counts>}`.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import orjson

from postrank.documents import Document, JsonObject
from postrank.errors import Fatal
from postrank.options import Options
from postrank.posts import Event, Post
from postrank.posts.formats.mapping import FIELDS
from postrank.posts.formats.networks.bluesky_records import COLLECTIONS
from postrank.posts.times import moment
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.files.file_reader import EXPANSION, FileReader
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch, listed
from postrank.sources.files.pace import Pace


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
    mapping: Mapping[str, str] = field(default_factory=dict)
    max_expansion: float = EXPANSION
    observes: bool = False
    keeps: bool = False  # whether the lines of posts are wanted as they are
    collections: tuple[str, ...] = ()
    name: str = "replay"
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """`files` (required), `speed`: 0 for as fast as possible, 1 for real time, N for N times as fast.

        `map`: a table from the contract's fields to columns or keys; `max_expansion`: how many times a compressed file
        may grow; `metrics`: whether to keep the counts in objects that a stream of API v1.1 gave; `collections`: as of
        the source bluesky, which reposts and likes to keep of Jetstream's events.
        """
        collections = tuple(dict.fromkeys(options.texts("collections", [])))
        if not set(collections) <= set(COLLECTIONS):
            options.wrong("collections", f"must be some of {', '.join(COLLECTIONS)}")
        return cls(
            files=[Path(name) for name in listed(options)],
            mapping=mapping_of(options),
            max_expansion=options.number("max_expansion", EXPANSION, at_least=1.0),
            pace=Pace(speed=options.number("speed", 0.0)),
            line_limit=options.whole("line_limit", LINE_LIMIT, at_least=1024),
            observes=options.flag("metrics", False),
            keeps=surroundings.keeps_originals,
            collections=collections,
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Every line after the cursor. Raises FileMissing before anything is read if any file is not there."""
        self._check()
        first, start = self._start(orjson.loads(after)) if after else (0, 0)
        for number in range(first, len(self.files)):
            offset = start if number == first else 0
            for batch in self._file(number, offset):
                if self._stopped.is_set():
                    return
                yield batch

    def stop(self) -> None:
        self._stopped.set()

    def _start(self, cursor: JsonObject) -> tuple[int, int]:
        """The file to resume in, and where; a list that changed since is searched for the file's name."""
        number = cursor["file"]
        name = cursor.get("name")
        names = [os.fsencode(path).decode(errors="backslashreplace") for path in self.files]
        if name in names and not (number < len(names) and names[number] == name):
            number = names.index(name)
        return number, cursor["offset"]

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
        lines = LineBatch(where=path.name, observes=self.observes, keeps=self.keeps, collections=self.collections)
        reader = FileReader(
            path,
            lines,
            limit=self.line_limit,
            mapping=self.mapping,
            expansion=self.max_expansion,
            each=self.pace.speed > 0,
        )
        for position in reader.read(offset):
            yield from self._paced(lines.take(self._cursor(number, position)))
        yield lines.take(self._cursor(number + 1, 0))

    def _cursor(self, number: int, offset: int) -> Cursor:
        cursor: Document = {"file": number, "offset": offset}
        if number < len(self.files):
            cursor["name"] = os.fsencode(self.files[number]).decode(errors="backslashreplace")
        return orjson.dumps(cursor).decode()

    def _paced(self, batch: Batch) -> Iterator[Batch]:
        """The batch at once; or, paced, a line's events one by one in their time, the last with the cursor."""
        if not self.pace.speed:
            yield batch
            return
        before = batch.events[:-1]
        batch.events = batch.events[-1:]
        originals = {id(original.post): original for original in batch.originals}
        batch.originals = [originals[id(event)] for event in batch.events if id(event) in originals]
        for event in before:
            yield from self._due(event)
            original = originals.get(id(event))
            yield Batch(cursor=None, events=[event], originals=[original] if original else [], read=1)
        for event in batch.events:
            yield from self._due(event)
        batch.read -= len(before)
        yield batch

    def _due(self, event: Event) -> Iterator[Batch]:
        if type(event) is Post:
            yield from self.pace.until(moment(event.posted_at), self._stopped)


def mapping_of(options: Options) -> dict[str, str]:
    """The table `map`: which column or key holds which field of the contract."""
    table = options.table("map")
    mapping = {name: table.text(name) for name in FIELDS if table.optional(name)}
    table.reject_unknown()
    return mapping
