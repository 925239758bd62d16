"""JSON values that are not one a line: elements of an array, objects on end, objects over several lines.

Values are told apart by their brackets. Where those do not balance, the values that can still be told apart by how the
first one begins are given, and the rest is reported as lost. A top-level object that is larger than the limit is read
as the list of posts that it holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from postrank.sources.files.containers.pieces import Damage, Piece

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_REST_OF_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_FIRST_KEY = re.compile(rb'\{\s*("[^"\\]{1,200}")\s*:')
_SPACE = b" \t\r\n,\x1e"
LIST_WITHIN = re.compile(
    rb'\{[^\[\]{}]*?"(?:data|statuses|feed|posts|records|orderedItems|items|tweets|results)"\s*:\s*\['
)


@dataclass(frozen=True, slots=True)
class Value:
    """The bytes of one value."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """Bytes that are no value; one post is lost with them, or more."""

    reason: str
    offset: int
    data: bytes


Reading: TypeAlias = Value | Lost | Damage


class JsonValues:
    """Splits pieces into values. `limit`: the bytes that one may have."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._offset = 0  # of the first byte that is held
        self._held = b""
        self._scanned = 0  # bytes of `_held` whose brackets are counted
        self._start = -1  # where in `_held` the value begins that is being read
        self._depth = 0  # brackets that are open within it
        self._in_text = False  # the bytes that are scanned end within a text
        self._in_array = False
        self._page: str = ""  # "list": the array is that of a page; "rest": what follows it is passed over
        self._marker: re.Pattern[bytes] | None = None  # how a value begins
        self._indent: bytes | None = b""  # what stands before the first value on its line
        self._searching = False  # for the next value, behind a damage

    def read(self, pieces: Iterator[Piece]) -> Iterator[Reading]:
        """Every value of the pieces, and what was lost between them."""
        for piece in pieces:
            if isinstance(piece, Damage):
                yield from self._break_off(torn=piece.torn)
                yield piece
                self._searching = self._marker is not None and piece.torn
                continue
            self._held += piece
            yield from self._scan()
            if len(self._held) > self._limit:
                yield from self._shorten()
        yield from self._break_off(torn=False)

    def salvage(self, value: Value) -> list[Value | Lost]:
        """The values within bytes whose brackets balance by accident, because a bracket or a quote is missing."""
        parts = self._parts(value.data)
        if len(parts) < 2:
            return []
        return [_judged(value.offset + at, part) for at, part in parts]

    def _scan(self) -> Iterator[Reading]:  # noqa: C901 - one branch a character of JSON's structure
        if self._searching and not self._resume():
            return
        held = self._held
        done = 0
        if self._in_text and not self._text_ends():
            return
        resume = len(held)
        for match in _TOKEN.finditer(held, self._scanned):
            at = match.start()
            token = held[at]
            if token == 0x22:  # a quote
                if match.end() - at == 1:
                    self._in_text = True
                    resume = max(at + 1, len(held.rstrip(b"\\")))
                    break
            elif token in b"[{":
                if self._depth == 0:
                    yield from self._stray(held, done, at)
                    if token == 0x5B and not self._in_array and not self._page:
                        self._in_array = True
                        done = at + 1
                        continue
                    self._begin(held, at)
                self._depth += 1
            elif self._depth == 0:
                yield from self._stray(held, done, at)
                yield from self._close(token, at)
                done = at + 1
            else:
                self._depth -= 1
                if self._depth == 0:
                    done = match.end()
                    yield from self._value(held[self._start : done])
        self._drop(self._start if self._start >= 0 else self._kept_from(held, done), resume)

    def _text_ends(self) -> bool:
        """Go to the end of a text that began in an earlier piece, if it is here."""
        match = _REST_OF_TEXT.match(self._held, self._scanned)
        if match is None:
            self._scanned = max(self._scanned, len(self._held.rstrip(b"\\")))
            return False
        self._in_text = False
        self._scanned = match.end()
        return True

    def _begin(self, held: bytes, at: int) -> None:
        self._start = at
        if self._marker is None:
            line = held.rfind(b"\n", 0, at) + 1
            before = held[line:at]
            at_line = line > 0 or self._offset == 0
            self._indent = before if at_line and not before.strip() else None

    def _value(self, data: bytes) -> Iterator[Value]:
        if self._marker is None:
            self._marker = self._how_it_begins(data)
        offset = self._offset + self._start
        self._start = -1
        if self._page != "rest":
            yield Value(offset, data)

    def _close(self, token: int, at: int) -> Iterator[Lost]:
        """A bracket that closes what is around the values."""
        if self._page == "rest" and token == 0x7D:
            self._page = ""
        elif self._in_array and token == 0x5D:
            self._in_array = False
            self._page = "rest" if self._page else ""
        elif not self._page:
            yield Lost("a bracket closes what was not opened", self._offset + at, bytes([token]))

    def _stray(self, held: bytes, done: int, at: int) -> Iterator[Lost]:
        stray = held[done:at].strip(_SPACE)
        if stray and not self._page:
            yield Lost("text between the objects", self._offset + done, stray)

    def _kept_from(self, held: bytes, done: int) -> int:
        """From where bytes are still needed that belong to no value: an indent, or text that is to be reported."""
        rest = held[done:]
        return done if rest.strip(_SPACE) or len(rest) < 256 else len(held) - 256

    def _drop(self, size: int, resume: int) -> None:
        if not resume:
            self._in_text = False
        self._held = self._held[size:]
        self._offset += size
        self._scanned = max(resume - size, 0)
        if self._start >= 0:
            self._start -= size

    def _how_it_begins(self, data: bytes) -> "re.Pattern[bytes] | None":
        if self._indent is not None and (self._indent or self._in_array or b"\n" in data[:65_536]):
            return re.compile(rb"(?<=\n)" + re.escape(self._indent) + rb"\{")
        if match := _FIRST_KEY.match(data):
            return re.compile(rb"(?<!:)(?<!: )\{\s*" + re.escape(match[1]) + rb"\s*:")
        return None

    def _resume(self) -> bool:
        """Go to the next value behind a damage."""
        match = self._marker.search(b"\n" + self._held) if self._marker else None
        if match is None:
            self._drop(max(len(self._held) - 256, 0), 0)
            return False
        self._searching = False
        self._depth = 0
        self._start = -1
        self._drop(max(match.start() - 1, 0), 0)
        return True

    def _shorten(self) -> Iterator[Reading]:
        """Hold less than the limit again."""
        if self._start < 0:
            yield Lost(f"text of more than {self._limit} bytes between the objects", self._offset, self._held)
            self._drop(len(self._held), 0)
            return
        if not self._in_array and (match := LIST_WITHIN.match(self._held, self._start)):
            self._in_array = True
            self._page = "list"
            self._depth = 0
            self._start = -1
            self._marker = None
            self._drop(match.end(), 0)
            yield from self._scan()
            if len(self._held) > self._limit:
                yield from self._shorten()
            return
        parts = self._parts(self._held[self._start :])
        base = self._offset + self._start
        for at, part in parts[:-1]:
            yield _judged(base + at, part)
        last, rest = parts[-1]
        self._depth = 0
        if len(parts) > 1 and len(rest) < self._limit:
            self._drop(self._start + last, 0)
            self._start = -1
            yield from self._scan()
            return
        yield Lost(f"an object of more than {self._limit} bytes, or a bracket is missing", base + last, rest)
        self._drop(len(self._held), 0)
        self._start = -1
        self._searching = self._marker is not None

    def _break_off(self, *, torn: bool) -> Iterator[Value | Lost]:
        """What is held when the bytes end. `torn`: a damage accounts for the last, incomplete value."""
        held = self._held
        start = self._start
        if start >= 0:
            parts = self._parts(held[start:])
            for at, part in parts[:-1]:
                yield _judged(self._offset + start + at, part)
            at, part = parts[-1]
            last = _judged(self._offset + start + at, part)
            if isinstance(last, Value):
                yield last
            elif not torn:
                yield Lost("the last object is cut off: the file is incomplete", self._offset + start + at, part)
        elif held.strip(_SPACE) and not self._page and not self._searching:
            if not torn:
                yield Lost("text behind the objects", self._offset, held.strip(_SPACE))
        elif not torn and (self._in_array or self._page):
            yield Lost("the JSON array is not closed: the file is incomplete", self._offset, b"")
        self._drop(len(held), 0)
        self._start = -1
        self._depth = 0

    def _parts(self, data: bytes) -> list[tuple[int, bytes]]:
        """Bytes cut at every place where a value seems to begin."""
        marker = self._marker or self._how_it_begins(data)
        cuts = [0]
        if marker is not None:
            cuts += [match.start() for match in marker.finditer(data) if match.start() > 0]
        return [(at, data[at:end]) for at, end in zip(cuts, [*cuts[1:], len(data)], strict=True)]


def _judged(offset: int, part: bytes) -> Value | Lost:
    """A part as a value, if it is one."""
    for data in (part.strip(_SPACE), part.strip(_SPACE + b"]")):
        try:
            if type(orjson.loads(data)) is dict:
                return Value(offset, data)
        except orjson.JSONDecodeError:
            continue
    return Lost("not JSON: a bracket or a quote is missing", offset, part)
