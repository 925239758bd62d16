"""The generations of followed files: which one a path holds, whatever rotation made of its name.

A generation is its file (device and inode) while the bytes before the place that was reached are those that were read
there. Once it was copied or compressed it is known by these bytes alone. Two generations may begin alike: a log that
writes the same first line (a header) into each of its files is common.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from postrank.documents import Document, JsonObject
from postrank.sources.files.compressed import DAMAGED, open_decompressed, skip

_ROTATION = re.compile(r"([.-]\d[\d_T-]*)*(\.(gz|bz2|zst|xz))?$")  # what logrotate and its like add to a name
_DATED = re.compile(
    r"(?<=\w)[.-]\d{4}[\d_T-]*(\.(?!gz|bz2|zst|xz)[A-Za-z]\w*)(\.(?:gz|bz2|zst|xz))?$"
)  # `extension .log`
_JOINT = re.compile(r"[.-]")
_FIRST_LINE = 4096  # bytes of the first line that go into a generation's key
_WINDOW = 1024  # bytes before the place that was reached
_PREFIXES = tuple(64 << n for n in range(7))
_GONE = 16  # generations of one log that are remembered although no file holds them just now

Match: TypeAlias = Literal["same", "shorter", "other"]


@dataclass(slots=True)
class Generation:
    """One file's life, from its first line to its last, under whatever names."""

    key: str  # with an offset it is the id of a log's line
    log: str  # the name without what rotation adds
    file: str  # "<device>:<inode>" of the file that holds it
    at: int = 0  # bytes done, decompressed
    head: list[str] = field(default_factory=list)  # digests of its first 64, 128, ... 4096 bytes, as far as done
    last: str = ""  # digest of the 1024 bytes before `at`
    live: bool = False  # it is what the log's own name holds
    within: bool = False  # `at` lies within a line that was too long, and is rejected by now
    start: bytes = field(default=b"", repr=False)  # the same bytes, once they were read in this process
    end: bytes = field(default=b"", repr=False)

    def advance(self, data: bytes) -> None:
        """Note bytes that are done."""
        self.at += len(data)
        if len(self.start) < _PREFIXES[-1]:
            self.start = (self.start + data)[: _PREFIXES[-1]]
            self.head = [_digest(self.start[:size]) for size in _PREFIXES if size <= len(self.start)]
        self.end = (self.end + data[-_WINDOW:])[-_WINDOW:]
        self.last = _digest(self.end)

    def compare(self, file: BinaryIO, kind: str) -> Match:
        """Whether a file that was just opened holds this generation; if so, it stands at `at` afterwards.

        "shorter" is a copy that was made before all of it was written. Raises what reading a damaged file raises.
        """
        start = file.read(min(_PREFIXES[-1], self.at))
        heads = [(size, digest) for size, digest in zip(_PREFIXES, self.head, strict=False) if size <= len(start)]
        if any(_digest(start[:size]) != digest for size, digest in heads):
            return "other"
        window_at = max(self.at - _WINDOW, len(start))
        skip(file, kind, window_at if kind == "none" else window_at - len(start))
        rest = file.read(self.at - window_at) if self.at > window_at else b""
        end = (start + rest if window_at == len(start) else rest)[-_WINDOW:]
        if window_at + len(rest) < self.at:
            return "shorter" if heads else "other"
        if _digest(end) != self.last and self.at:
            return "other"
        self.start = start
        self.end = end
        return "same"

    def to_cursor(self) -> Document:
        """What a cursor keeps of it."""
        fields = {"log": self.log, "file": self.file, "at": self.at, "head": self.head, "last": self.last}
        if self.within:
            fields["within"] = True
        if self.live:
            fields["live"] = True
        return fields

    @property
    def tells(self) -> bool:
        """Whether so much was read that another file which begins alike must be a copy."""
        return self.at >= _WINDOW or len(set(self.start.splitlines())) > 1


@dataclass(slots=True)
class Generations:
    """All generations of the followed logs, by key."""

    by_key: dict[str, Generation] = field(default_factory=dict)
    undecided: set[Path] = field(default_factory=set)  # of the last `assign`
    _logs: Mapping[Path, str] = field(default_factory=dict)  # of the last `assign`

    @classmethod
    def from_cursor(cls, cursor: Mapping[str, JsonObject]) -> "Generations":
        return cls({key: Generation(key=key, **fields) for key, fields in cursor.items()})

    def to_cursor(self) -> dict[str, Document]:
        return {key: generation.to_cursor() for key, generation in self.by_key.items()}

    def assign(self, files: Iterable[tuple[Path, str]], unchanged: Mapping[Path, Generation]) -> dict[Path, Generation]:
        """The generation that each file ("<device>:<inode>") holds; `unchanged` are those of files that did not change.

        A file has none while it has no whole first line; `undecided` are those that cannot be read just now.
        """
        files = list(files)
        held = dict(unchanged)
        self.undecided = set()
        self._logs = logs_of(path for path, _ in files)
        for path, file in files:
            if path not in held and (generation := self._held_by(path, file)):
                held[path] = generation
        # Copies before the file that is written: that one has begun a new generation, which may begin like theirs.
        for path, file in sorted(files, key=lambda entry: self._is_live(entry[0])):
            if path not in held and (generation := self._copied(path, held) or self._new(path, file)):
                held[path] = generation
        self._follow_copies(files, held)
        live = {generation.key for path, generation in held.items() if self._is_live(path)}
        for generation in self.by_key.values():
            generation.live = generation.key in live
        self._forget({generation.key for generation in held.values()})
        return held

    def _is_live(self, path: Path) -> bool:
        """Whether a path is that of a log itself, not of what it rotated into."""
        return named(path) == self._logs[path]

    def _held_by(self, path: Path, file: str) -> Generation | None:
        """The generation that was last seen in this very file, if it still is there."""
        for generation in self.by_key.values():
            is_same_log = generation.log == self._logs[path] or generation.at > 0
            if generation.file == file and is_same_log and self._compared(path, generation) == "same":
                return generation
        return None

    @staticmethod
    def _follow_copies(files: Iterable[tuple[Path, str]], held: Mapping[Path, Generation]) -> None:
        """Generations that are only in copies by now are there from now on."""
        seen = {(generation.key, file) for path, file in files if (generation := held.get(path))}
        for path, file in files:
            if (generation := held.get(path)) and (generation.key, generation.file) not in seen:
                generation.file = file

    def _compared(self, path: Path, generation: Generation) -> Match:
        try:
            file, kind = open_decompressed(path)
            with file:
                return generation.compare(file, kind)
        except DAMAGED:  # also a file that has another name by now
            self.undecided.add(path)
            return "other"

    def _copied(self, path: Path, held: Mapping[Path, Generation]) -> Generation | None:
        """The generation of which a file is a copy, perhaps a compressed one."""
        log = self._logs[path]
        rotated = not self._is_live(path)
        held_keys = {generation.key for generation in held.values()}
        for generation in sorted(self.by_key.values(), key=lambda generation: generation.key in held_keys):
            is_own = generation.log == log
            if not generation.at or (is_own and not rotated and generation.key in held_keys):
                continue  # a new file that begins like an old one
            match = self._compared(path, generation)
            if is_own and rotated and match != "other":
                return generation
            if match == "same" and generation.tells and (is_own or self._is_whole(path, generation)):
                return generation
        return None

    @staticmethod
    def _is_whole(path: Path, generation: Generation) -> bool:
        """Whether a file under the name of another log holds just what was read, or so much that it must be a copy."""
        try:
            return generation.at >= _WINDOW or path.stat().st_size == generation.at
        except OSError:
            return False

    def _new(self, path: Path, file: str) -> Generation | None:
        line = self._first_line(path)
        if line is None or path in self.undecided:
            return None
        log = self._logs[path]
        number = 0
        while (key := _digest(f"{log}\0{file}\0{number}\0".encode() + line)) in self.by_key:
            number += 1
        self.by_key[key] = Generation(key=key, log=log, file=file)
        return self.by_key[key]

    def _first_line(self, path: Path) -> bytes | None:
        try:
            file, kind = open_decompressed(path)
            with file:
                start = file.read(_FIRST_LINE)
        except DAMAGED:
            self.undecided.add(path)
            return None
        line, newline, _ = start.partition(b"\n")
        return line if newline or len(start) == _FIRST_LINE or (kind != "none" and start) else None

    def _forget(self, held: set[str]) -> None:
        """Let go of generations that were deleted long ago."""
        gone: dict[str, list[str]] = {}
        for key, generation in self.by_key.items():
            if key not in held:
                gone.setdefault(generation.log, []).append(key)
        for keys in gone.values():
            for key in keys[:-_GONE]:
                del self.by_key[key]


def logs_of(paths: Iterable[Path]) -> dict[Path, str]:
    """The log that each path belongs to: the path itself, or that of the log that rotated into it.

    `access.log.1`, `access.log-20261010.gz`, `access-20261010.log`, and, where `access.log` is there, every name that
    begins with it and `.` or `-`: `access.log.bak`, `access.log.old`.
    """
    logs: dict[Path, str] = {}
    bases: set[str] = set()
    for path in sorted(paths, key=lambda path: (len(named(path)), named(path))):
        name = named(path)
        log = _ROTATION.sub("", _DATED.sub(r"\1\2", name))
        parts = [name[: match.start()] for match in _JOINT.finditer(name)]
        log = next((part for part in parts if part in bases), log)
        logs[path] = log
        bases.add(log)
    return logs


def named(path: Path | str) -> str:
    """A path as text that JSON can hold, whatever bytes its name is of."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]
