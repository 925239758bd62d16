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
from typing import Any, BinaryIO, Literal, TypeAlias

from postrank.sources.files.compressed import DAMAGED, open_decompressed, skip

_ROTATION = re.compile(r"([.-]\d[\d_T-]*)*(\.(gz|bz2|zst))?$")  # what logrotate and its like add to a name
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
        known = [(size, digest) for size, digest in zip(_PREFIXES, self.head, strict=False) if size <= len(start)]
        if any(_digest(start[:size]) != digest for size, digest in known):
            return "other"
        window_at = max(self.at - _WINDOW, len(start))
        skip(file, kind, window_at if kind == "none" else window_at - len(start))
        rest = file.read(self.at - window_at) if self.at > window_at else b""
        end = (start + rest if window_at == len(start) else rest)[-_WINDOW:]
        if window_at + len(rest) < self.at:
            return "shorter" if known else "other"
        if _digest(end) != self.last and self.at:
            return "other"
        self.start, self.end = start, end
        return "same"

    def to_cursor(self) -> dict[str, Any]:
        """What a cursor keeps of it."""
        found = {"log": self.log, "file": self.file, "at": self.at, "head": self.head, "last": self.last}
        return {**found, "within": True} if self.within else found


@dataclass(slots=True)
class Generations:
    """Those that are known, by key."""

    known: dict[str, Generation] = field(default_factory=dict)
    undecided: set[Path] = field(default_factory=set)  # of the last `assign`

    @classmethod
    def from_cursor(cls, kept: Mapping[str, Mapping[str, Any]]) -> "Generations":
        return cls({key: Generation(key=key, **fields) for key, fields in kept.items()})

    def to_cursor(self) -> dict[str, dict[str, Any]]:
        return {key: one.to_cursor() for key, one in self.known.items()}

    def assign(self, files: Iterable[tuple[Path, str]], kept: Mapping[Path, Generation]) -> dict[Path, Generation]:
        """The generation that each file ("<device>:<inode>") holds; `kept` are those of files that did not change.

        A file has none while it has no whole first line; `undecided` are those that cannot be read just now.
        """
        files, found = list(files), dict(kept)
        self.undecided = set()
        for path, file in files:
            if path not in found and (held := self._held_by(path, file)):
                found[path] = held
        # Copies before the file that is written: that one has begun a new generation, which may begin like theirs.
        for path, file in sorted(files, key=lambda one: named(one[0]) == log_of(one[0])):
            if path not in found and (other := self._copied(path, found) or self._new(path, file)):
                found[path] = other
        self._follow_copies(files, found)
        self._forget({one.key for one in found.values()})
        return found

    def _held_by(self, path: Path, file: str) -> Generation | None:
        """The generation that was last seen in this very file, if it still is there."""
        for one in self.known.values():
            if one.file == file and one.log == log_of(path) and self._compared(path, one) == "same":
                return one
        return None

    @staticmethod
    def _follow_copies(files: Iterable[tuple[Path, str]], found: Mapping[Path, Generation]) -> None:
        """Generations that are only in copies by now are there from now on."""
        seen = {(one.key, file) for path, file in files if (one := found.get(path))}
        for path, file in files:
            if (one := found.get(path)) and (one.key, one.file) not in seen:
                one.file = file

    def _compared(self, path: Path, generation: Generation) -> Match:
        try:
            file, kind = open_decompressed(path)
            with file:
                return generation.compare(file, kind)
        except DAMAGED:  # also a file that has another name by now
            self.undecided.add(path)
            return "other"

    def _copied(self, path: Path, found: Mapping[Path, Generation]) -> Generation | None:
        """The generation of which a file is a copy, perhaps a compressed one."""
        log = log_of(path)
        rotated = named(path) != log
        held = {one.key for one in found.values()}
        for one in sorted(self.known.values(), key=lambda one: one.key in held):
            if one.log != log or not one.at:
                continue
            if not rotated and (one.key in held or one.at < _WINDOW):
                continue  # a new file that begins like an old one
            match = self._compared(path, one)
            if match == "same" or (match == "shorter" and rotated):
                return one
        return None

    def _new(self, path: Path, file: str) -> Generation | None:
        line = self._first_line(path)
        if line is None or path in self.undecided:
            return None
        log, number = log_of(path), 0
        while (key := _digest(f"{log}\0{file}\0{number}\0".encode() + line)) in self.known:
            number += 1
        self.known[key] = Generation(key=key, log=log, file=file)
        return self.known[key]

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
        for key, one in self.known.items():
            if key not in held:
                gone.setdefault(one.log, []).append(key)
        for keys in gone.values():
            for key in keys[:-_GONE]:
                del self.known[key]


def log_of(path: Path) -> str:
    """A path without what rotation adds to its name."""
    return _ROTATION.sub("", named(path))


def named(path: Path | str) -> str:
    """A path as text that JSON can hold, whatever bytes its name is of."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]
