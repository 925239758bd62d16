"""Following files that grow and rotate, as an agent does, from where it was left.

What a path holds is told by `generations`, so that a file stays the same one when it is renamed, copied and truncated,
or compressed. Rotated files (`<name>.1`, `<name>-20260501.gz`, ...) are read to their end before newer ones. The cursor
is `{"<generation>": {"at": <bytes done, decompressed>, ...}, ...}`.
"""

import glob
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import orjson

from postrank.options import Options
from postrank.posts.formats.access_log import APACHE, APACHE_TIME, RFC_3339, LogFormat
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.files.compressed import DAMAGED, open_decompressed
from postrank.sources.files.generations import Generation, Generations, named
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch, listed

_POLL = 0.25  # seconds between looks at the files
_CHUNK = 1 << 18
_SETTLED = 60.0  # seconds without a change after which nobody is writing a compressed file any more
_Stamp = tuple[int, int, int, int]  # device, inode, size, mtime in ns
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tail:
    """The lines of files that match patterns, and of the files that those rotate into."""

    patterns: list[str]
    log: LogFormat | None = None  # None: JSON lines in any form that a replay knows
    from_end: bool = False  # where there is no cursor yet: only what is written from now on
    name: str = "tail"
    poll_seconds: float = _POLL
    _generations: Generations = field(default_factory=Generations)
    _held: dict[Path, Generation] = field(default_factory=dict)
    _stamps: dict[Path, _Stamp] = field(default_factory=dict)  # of files as they were when all of them was read
    _told: set[str] = field(default_factory=set)  # what is in the log already
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, _: Surroundings) -> Self:
        """`files` (patterns), `format` = "json", "apache" or "regex", `start` = "beginning" or "end".

        For logs: `network`, `author` (the group that is the author), `pattern` and `time_format` (strptime's, or
        "rfc3339").
        """
        kind = options.text("format", "json", among=("json", "apache", "regex"))
        return cls(
            patterns=listed(options),
            log=None if kind == "json" else _log_format(kind, options),
            from_end=options.text("start", "beginning", among=("beginning", "end")) == "end",
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Lines as they are written, until `stop`."""
        self._generations = Generations.from_cursor(orjson.loads(after) if after else {})
        self._held, self._stamps = {}, {}
        if after is None and self.from_end:
            yield self._skip_all()
        while not self._stopped.is_set():
            quiet = True
            for path, stamp in self._changed():
                for batch in self._new_lines(path, stamp):
                    quiet = False
                    yield batch
                    if self._stopped.is_set():
                        return
            if quiet:
                yield Batch(cursor=None)  # the files are there, which is all that a file can say
            self._stopped.wait(self.poll_seconds)

    def stop(self) -> None:
        self._stopped.set()

    def _changed(self) -> list[tuple[Path, _Stamp]]:
        """The files that are new, longer or other ones since they were read, oldest first."""
        stamps = self._files()
        changed = [(path, stamp) for path, stamp in stamps if self._stamps.get(path) != stamp]
        if changed:
            same = {path for path, _ in stamps} - {path for path, _ in changed}
            kept = {path: one for path, one in self._held.items() if path in same}
            self._held = self._generations.assign([(path, f"{at[0]}:{at[1]}") for path, at in stamps], kept)
        return changed

    def _files(self) -> list[tuple[Path, _Stamp]]:
        """Every file and what it rotated into, oldest first."""
        found: set[str] = set()
        for pattern in self.patterns:
            matching = {path for name in (pattern, f"{pattern}[.-]*") for path in glob.glob(name)}
            if not matching:
                self._tell("no file matches", pattern=pattern)
            found |= matching
        stamped = []
        for name in found:
            try:
                if Path(name).is_file():  # no folder, no pipe
                    stamped.append((Path(name), _stamp(Path(name))))
            except FileNotFoundError:
                continue  # rotated away between the two looks: it has another name by now
        return sorted(stamped, key=lambda one: (one[1][3], str(one[0])))

    def _new_lines(self, path: Path, stamp: _Stamp) -> Iterator[Batch]:
        try:
            if path in self._generations.undecided:
                _try_to_read(path)
                raise EOFError("it cannot be decompressed as far as it was read before")
            if generation := self._held.get(path):
                yield from self._lines(path, generation)
            self._stamps[path] = stamp
        except FileNotFoundError:
            return  # it has another name by now
        except DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:
                self._tell("file not readable", file=named(path), why=str(error.strerror))
            elif time.time() - stamp[3] / 1e9 > _SETTLED:  # else it is most likely still being compressed
                self._stamps[path] = stamp
                self._tell("file damaged", file=named(path), why=str(error))

    def _tell(self, event: str, **fields: str) -> None:
        """Log it, once."""
        if (told := f"{event} {fields}") not in self._told:
            self._told.add(told)
            _log.warning(event, extra={"fields": fields})

    def _lines(self, path: Path, generation: Generation) -> Iterator[Batch]:
        lines = LineBatch(where=named(path.name), log=self.log, identity=generation.key)
        file, kind = open_decompressed(path)
        with file:
            if generation.compare(file, kind) != "same":
                return  # nothing that was not read from another copy, or another file by now
            rest = b""
            while chunk := file.read(_CHUNK):
                if generation.within:
                    dropped, newline, chunk = chunk.partition(b"\n")
                    generation.within = not newline
                    yield self._batch(lines, generation, dropped + newline)
                *whole, rest = (rest + chunk).split(b"\n")
                offset = lines.add_all(whole, generation.at)
                done = b"".join(line + b"\n" for line in whole)
                if len(rest) > LINE_LIMIT:
                    lines.reject(f"line longer than {LINE_LIMIT} bytes", rest, offset)
                    done, rest, generation.within = done + rest, b"", True
                if done:
                    yield self._batch(lines, generation, done)
            if rest and kind != "none":  # a compressed file does not grow any more
                lines.add(rest, generation.at)
                yield self._batch(lines, generation, rest)

    def _batch(self, lines: LineBatch, generation: Generation, done: bytes) -> Batch:
        generation.advance(done)
        return lines.take(orjson.dumps(self._generations.to_cursor()).decode())

    def _skip_all(self) -> Batch:
        """Pass over the whole lines that are there; the cursor says so, lest a restart pass over what comes next."""
        for path, _ in self._changed():
            if (generation := self._held.get(path)) is None:
                continue
            with suppress(*DAMAGED):
                file, kind = open_decompressed(path)
                with file:
                    rest = b""
                    while chunk := file.read(_CHUNK):
                        whole, newline, rest = (rest + chunk).rpartition(b"\n")
                        generation.advance(whole + newline)
                    generation.advance(rest if kind != "none" else b"")
        return Batch(cursor=orjson.dumps(self._generations.to_cursor()).decode())


def _log_format(kind: str, options: Options) -> LogFormat:
    pattern = _pattern(APACHE if kind == "apache" else options.text("pattern"), options)
    author = options.text("author", "client" if kind == "apache" else "author_id")
    for key, group in (("author", author), ("pattern", "posted_at")):
        if pattern.pattern and group not in pattern.groupindex:
            names = ", ".join(pattern.groupindex) or "none"
            options.wrong(key, f"wants a group named {group}: (?P<{group}>...); the pattern has {names}")
    return LogFormat(
        network=options.text("network", "logs"),
        pattern=pattern,
        author=author,
        time_format=APACHE_TIME if kind == "apache" else _time_format(options),
    )


def _pattern(text: str, options: Options) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except re.error as error:
        options.wrong("pattern", f"is no regular expression: {error}")
        return re.compile("")


def _time_format(options: Options) -> str:
    found = options.text("time_format", RFC_3339)
    try:
        if found != RFC_3339:
            datetime.strptime(datetime.now(UTC).strftime(found), found)  # noqa: DTZ007 only whether it can be read
    except ValueError as error:
        options.wrong("time_format", f"must be rfc3339, or a form of strptime such as {APACHE_TIME}: {error}")
    return found


def _try_to_read(path: Path) -> None:
    """Raises OSError where not even the first byte can be had."""
    with path.open("rb") as file:
        file.read(1)


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
