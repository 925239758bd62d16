"""Following files that grow and rotate, as an agent does, from where it was left.

A file is known by its first line, so that it stays the same file when it is renamed, copied and truncated, or
compressed. Two files of one log that begin with the same line are taken for one: logs begin with an instant or an id.
Rotated files (`<name>.1`, `<name>-20260501.gz`, ...) are read to their end before newer ones. The cursor is
`{"<identity>": <bytes done, decompressed>, ...}`.
"""

import glob
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

import orjson

from postrank.options import Options
from postrank.posts.logs import APACHE, APACHE_TIME, RFC_3339, LogFormat
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.compressed import DAMAGED, open_decompressed, skip
from postrank.sources.lines import LINE_LIMIT, LineBatch

_POLL = 0.25  # seconds between looks at the files
_CHUNK = 1 << 18
_FIRST_LINE = 4096  # bytes of the first line that identify a file
_SETTLED = 60.0  # seconds without a change after which nobody is writing a compressed file any more
_ROTATION = re.compile(r"([.-]\d[\d_T-]*)*(\.(gz|bz2|zst))?$")  # what logrotate and its like add to a name
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
    _done: dict[str, int] = field(default_factory=dict)
    _stamps: dict[Path, _Stamp] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, options: Options, _: Surroundings) -> Self:
        """`files` (patterns), `format` = "json", "apache" or "regex", `start` = "beginning" or "end".

        For logs: `network`, `author` (the group that is the author), `pattern` and `time_format` (strptime's, or
        "rfc3339").
        """
        kind = options.text("format", "json", among=("json", "apache", "regex"))
        return cls(
            patterns=options.texts("files"),
            log=None if kind == "json" else _log_format(kind, options),
            from_end=options.text("start", "beginning", among=("beginning", "end")) == "end",
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Lines as they are written, until `stop`."""
        self._done = dict(orjson.loads(after)) if after else {}
        self._stamps = {}
        if after is None and self.from_end:
            self._skip_all()
        while not self._stopped.is_set():
            quiet = True
            for path in self._files():
                for batch in self._new_lines(path):
                    quiet = False
                    yield batch
                    if self._stopped.is_set():
                        return
            if quiet:
                yield Batch(cursor=None)  # the files are there, which is all that a file can say
            self._stopped.wait(self.poll_seconds)

    def stop(self) -> None:
        self._stopped.set()

    def _files(self) -> list[Path]:
        """Every file and what it rotated into, oldest first."""
        found = {path for pattern in self.patterns for name in (pattern, f"{pattern}[.-]*") for path in glob.glob(name)}
        stamped = []
        for name in found:
            try:
                stamped.append((Path(name).stat().st_mtime_ns, name))
            except FileNotFoundError:
                continue  # rotated away between the two looks: it has another name by now
        return [Path(name) for _, name in sorted(stamped)]

    def _new_lines(self, path: Path) -> Iterator[Batch]:
        try:
            stamp = _stamp(path)
            if self._stamps.get(path) == stamp:
                return
            identity = _identity(path)
            if identity is not None:
                yield from self._lines(path, identity)
            self._stamps[path] = stamp
        except FileNotFoundError:
            return  # as above
        except DAMAGED as error:  # most likely it is still being compressed
            if time.time() - path.stat().st_mtime > _SETTLED:
                self._stamps[path] = stamp
                _log.error("file damaged", extra={"fields": {"file": str(path), "why": str(error)}})

    def _lines(self, path: Path, identity: str) -> Iterator[Batch]:
        offset = self._done.get(identity, 0)
        lines = LineBatch(where=path.name, log=self.log, identity=identity)
        file, kind = open_decompressed(path)
        with file:
            skip(file, kind, offset)
            rest = b""
            while chunk := file.read(_CHUNK):
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    lines.add(line, offset)
                    offset += len(line) + 1
                if len(rest) > LINE_LIMIT:
                    lines.reject(f"line longer than {LINE_LIMIT} bytes", rest, offset)
                    offset, rest = offset + len(rest), b""
                if lines.read:
                    yield self._batch(lines, identity, offset)
            if rest and kind != "none":  # a compressed file does not grow any more
                lines.add(rest, offset)
                yield self._batch(lines, identity, offset + len(rest))

    def _batch(self, lines: LineBatch, identity: str, offset: int) -> Batch:
        self._done[identity] = offset
        return lines.take(orjson.dumps(self._done).decode())

    def _skip_all(self) -> None:
        for path in self._files():
            identity = _identity(path)
            if identity is not None:
                self._done[identity] = path.stat().st_size


def _log_format(kind: str, options: Options) -> LogFormat:
    text = APACHE if kind == "apache" else options.text("pattern")
    try:
        pattern = re.compile(text)
    except re.error as error:
        options.wrong("pattern", f"is no regular expression: {error}")
        pattern = re.compile("")
    author = options.text("author", "client" if kind == "apache" else "author_id")
    for group in (author, "posted_at"):
        if group not in pattern.groupindex:
            options.wrong("pattern", f"has no group named {group}")
    return LogFormat(
        network=options.text("network", "logs"),
        pattern=pattern,
        author=author,
        time_format=APACHE_TIME if kind == "apache" else options.text("time_format", RFC_3339),
    )


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _identity(path: Path) -> str | None:
    """What stays the same of a file when it rotates: its name without what rotation adds, and its first line.

    None while there is no whole first line.
    """
    file, kind = open_decompressed(path)
    with file:
        start = file.read(_FIRST_LINE)
    line, newline, _ = start.partition(b"\n")
    if not newline and len(start) < _FIRST_LINE and kind == "none":
        return None
    name = _ROTATION.sub("", str(path))
    return sha256(name.encode() + b"\0" + line).hexdigest()[:16]
