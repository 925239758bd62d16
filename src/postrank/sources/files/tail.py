"""Following files that grow and rotate, as an agent does, from where it was left.

`generations` tells what a path holds, so that a file stays the same one when it is renamed, copied and truncated, or
compressed. The handle of a file that was read is kept open, so that lines written before it was renamed beyond the
patterns are still read. Rotated files (`<name>.1`, `<name>-20260501.gz`, `<name>.bak`, ...) are read to their end
before newer ones. The cursor is `{"<generation>": {"at": <bytes done, decompressed>, ...}, ...}`.
"""

import glob
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

import orjson

from postrank.options import Options
from postrank.posts.formats.access_log import LogFormat
from postrank.sources import Batch, Cursor, Gap, Surroundings
from postrank.sources.files.compressed import DAMAGED, open_decompressed
from postrank.sources.files.generations import Generation, Generations, named
from postrank.sources.files.handles import Handles
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch, listed
from postrank.sources.log_options import log_format

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
    keeps: bool = False  # whether the lines of posts are wanted as they are
    from_end: bool = False  # where there is no cursor yet: only what is written from now on
    name: str = "tail"
    poll_seconds: float = _POLL
    _generations: Generations = field(default_factory=Generations)
    _held: dict[Path, Generation] = field(default_factory=dict)
    _stamps: dict[Path, _Stamp] = field(default_factory=dict)  # of files as they were when all of them was read
    _logged: set[str] = field(default_factory=set)  # what is in the log already
    _present: list[tuple[Path, _Stamp]] = field(default_factory=list)  # at the last look
    _handles: Handles = field(default_factory=Handles)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """`files` (patterns), `format` = "json", "apache" or "regex", `start` = "beginning" or "end".

        For logs: `network`, `author` (the group that is the author), `pattern` and `time_format` (strptime's, or
        "rfc3339").
        """
        return cls(
            patterns=listed(options),
            log=log_format(options),
            keeps=surroundings.keeps_originals,
            from_end=options.text("start", "beginning", among=("beginning", "end")) == "end",
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Lines as they are written, until `stop`."""
        self._generations = Generations.from_cursor(orjson.loads(after) if after else {})
        self._held = {}
        self._stamps = {}
        if after is None and self.from_end:
            yield self._skip_all()
        lost = [generation for generation in self._generations.by_key.values() if generation.live]
        try:
            while not self._stopped.is_set():
                changed = self._changed()
                if not self._generations.undecided:
                    yield from self._replaced(lost)
                    lost = []
                yield from self._read_all(changed)
                self._stopped.wait(self.poll_seconds)
        finally:
            self._handles.close()

    def _read_all(self, changed: Sequence[tuple[Path, _Stamp]]) -> Iterator[Batch]:
        quiet = True
        for path, stamp in changed:
            for batch in self._new_lines(path, stamp):
                quiet = False
                yield batch
                if self._stopped.is_set():
                    return
        for batch in self._left_behind():
            quiet = False
            yield batch
        if quiet:
            yield Batch(cursor=None)  # the files are there, which is all that a file can say

    def _replaced(self, lost: Sequence[Generation]) -> Iterator[Batch]:
        """Report logs that were replaced before a restart, whose former files are nowhere to be found."""
        held = {generation.key for generation in self._held.values()}
        gone = [generation for generation in lost if generation.key not in held]
        if not gone:
            return
        now = datetime.now(UTC)
        for generation in gone:
            self._warn("log replaced, unread lines may be lost", log=generation.log, bytes_read=str(generation.at))
        reason = "a log was replaced while it was not followed, and its former file has no name that is followed"
        gap = Gap(since=now, until=now, reason=reason)
        yield Batch(cursor=orjson.dumps(self._generations.to_cursor()).decode(), gaps=[gap])

    def _left_behind(self) -> Iterator[Batch]:
        """The last lines of files that have no name any more that is followed, through the handles kept of them."""
        current = {f"{stamp[0]}:{stamp[1]}" for _, stamp in self._present}
        for key in self._handles.keys_without(current):
            generation = self._generations.by_key.get(key)
            handle = self._handles[key]
            if generation is None or generation.file in current:
                self._handles.drop(key)
                continue
            if self._handles.is_new(key):
                self._warn("log renamed beyond the patterns, read through its handle", file=named(handle.path))
            lines = LineBatch(where=named(handle.path.name), log=self.log, identity=generation.key, keeps=self.keeps)
            handle.file.seek(generation.at)
            ended = self._handles.is_over(key)
            yield from self._read_from(handle.file, lines, generation, whole=ended)
            if ended:
                self._handles.drop(key)

    def stop(self) -> None:
        self._stopped.set()

    def _changed(self) -> list[tuple[Path, _Stamp]]:
        """The files that are new, longer or other ones since they were read, oldest first."""
        stamps = self._files()
        self._present = stamps
        changed = [(path, stamp) for path, stamp in stamps if self._stamps.get(path) != stamp]
        if changed:
            same = {path for path, _ in stamps} - {path for path, _ in changed}
            unchanged = {path: generation for path, generation in self._held.items() if path in same}
            files = [(path, f"{stamp[0]}:{stamp[1]}") for path, stamp in stamps]
            self._held = self._generations.assign(files, unchanged)
        return changed

    def _files(self) -> list[tuple[Path, _Stamp]]:
        """Every file and what it rotated into, each once under whatever names, oldest first."""
        names: set[str] = set()
        for pattern in self.patterns:
            matching = {path for name in _rotated(pattern) for path in glob.glob(name)}  # noqa: PTH207 (absolute patterns)
            if not matching:
                self._warn("no file matches", pattern=pattern)
            names |= matching
        files: dict[tuple[int, int], tuple[Path, _Stamp]] = {}
        for name in sorted(names, key=lambda name: (Path(name).is_symlink(), len(name), name)):
            try:
                if Path(name).is_file():  # no folder, no pipe
                    stamp = _stamp(Path(name))
                    files.setdefault(stamp[:2], (Path(name), stamp))  # links are other names of the same file
            except FileNotFoundError:
                continue  # rotated away between the two looks: it has another name by now
        return sorted(files.values(), key=lambda entry: (entry[1][3], str(entry[0])))

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
                self._warn("file not readable", file=named(path), why=str(error.strerror))
            elif abs(time.time() - stamp[3] / 1e9) > _SETTLED:  # else it is most likely still being compressed
                self._stamps[path] = stamp
                self._warn("file damaged", file=named(path), why=str(error))

    def _warn(self, event: str, **fields: str) -> None:
        """Log it, once."""
        entry = f"{event} {fields}"
        if entry not in self._logged:
            self._logged.add(entry)
            _log.warning(event, extra={"fields": fields})

    def _lines(self, path: Path, generation: Generation) -> Iterator[Batch]:
        lines = LineBatch(where=named(path.name), log=self.log, identity=generation.key, keeps=self.keeps)
        file, kind = open_decompressed(path)
        with file:
            if generation.compare(file, kind) != "same":
                return  # nothing that was not read from another copy, or another file by now
            if kind == "none":
                self._handles.keep(generation.key, path, file)
            yield from self._read_from(file, lines, generation, whole=kind != "none")

    def _read_from(self, file: BinaryIO, lines: LineBatch, generation: Generation, *, whole: bool) -> Iterator[Batch]:
        """The lines from where a file stands; `whole`: it does not grow any more."""
        rest = b""
        while chunk := file.read(_CHUNK):
            if generation.within:
                dropped, newline, chunk = chunk.partition(b"\n")
                generation.within = not newline
                yield self._batch(lines, generation, dropped + newline)
            *complete, rest = (rest + chunk).split(b"\n")
            offset = lines.add_all(complete, generation.at)
            done = b"".join(line + b"\n" for line in complete)
            if len(rest) > LINE_LIMIT:
                lines.reject(f"line longer than {LINE_LIMIT} bytes", rest, offset)
                done += rest
                rest = b""
                generation.within = True
            if done:
                yield self._batch(lines, generation, done)
        if rest and whole:
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


def _rotated(pattern: str) -> list[str]:
    """A pattern, and patterns for the names that logs which match it rotate into."""
    stem, dot, extension = pattern.rpartition(".")
    dated = [f"{stem}[.-][0-9][0-9][0-9][0-9]*.{extension}{end}" for end in ("", ".gz", ".bz2", ".zst", ".xz")]
    return [pattern, f"{pattern}[.-]*", *(dated if dot and "/" not in extension and "*" not in extension else [])]


def _try_to_read(path: Path) -> None:
    """Raises OSError where not even the first byte can be had."""
    with path.open("rb") as file:
        file.read(1)


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
