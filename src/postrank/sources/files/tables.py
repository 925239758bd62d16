"""Rows of CSV as posts.

A row that is no row (a quote that does not end, too few columns) costs itself: reading resumes at its second line, so
that a quote that was lost does not take the rows behind it along.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from postrank.posts import Malformed
from postrank.posts.formats.mapping import RowReader
from postrank.posts.repairs import Repairs
from postrank.sources.files.containers.pieces import Damage, Pieces
from postrank.sources.files.detection import Shape
from postrank.sources.files.line_batches import LineBatch

_FIELD = 1 << 20  # characters of one field
_BATCH = 2048  # rows
csv.field_size_limit(_FIELD)


class _Lines:
    """The lines of a table, as csv.reader asks for them; knows those of the row that is being read."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._waiting: deque[str] = deque()
        self._rest = b""
        self._torn = False
        self.taken: list[str] = []  # lines of the row that is being read
        self.offset = 0  # of the row that is being read
        self._next_offset = 0
        self.damage: Damage | None = None
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        while not self._waiting:
            if self.damage is not None or not self._fill():
                raise StopIteration
        line = self._waiting.popleft()
        self.taken.append(line)
        return line

    def begin_row(self) -> None:
        """The next line is the first one of a row."""
        self._next_offset += sum(_size(line) for line in self.taken)
        self.offset = self._next_offset
        self.taken = []

    def give_back(self) -> None:
        """Read all lines of this row but the first again."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        self.taken = self.taken[:1]

    def clear_damage(self) -> Damage | None:
        damage = self.damage
        self.damage = None
        return damage

    def _fill(self) -> bool:
        if self.ended:
            return False
        piece = next(self._pieces, None)
        if isinstance(piece, Damage):
            if self._rest and not piece.torn:
                self._waiting.append(_text(self._rest))
                self._rest = b""
            self._next_offset += len(self._rest)
            self._rest = b""
            self._torn = piece.torn
            self.damage = piece
            return True
        if piece is None:
            self.ended = True
            if self._rest:
                self._waiting.append(_text(self._rest))
                self._rest = b""
            return bool(self._waiting)
        whole, newline, self._rest = (self._rest + piece).rpartition(b"\n")
        if not newline:
            if len(self._rest) > 16 * _FIELD:
                self._waiting.append(_text(self._rest))
                self._rest = b""
            return True
        if self._torn:
            broken, newline, whole = whole.partition(b"\n")
            self._next_offset += len(broken) + len(newline)
            self._torn = False
            if not newline:
                return True
        text = _text(whole)
        lines = text.split("\n")
        self._waiting.extend(f"{line}\n" for line in lines)
        return True


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape")


def _size(line: str) -> int:
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogateescape"))


def read_rows(
    pieces: Pieces, lines: LineBatch, shape: Shape, identity: str, after: int, *, each: bool
) -> Iterator[int]:
    """Add the rows behind `after` to `lines`; yields the offset after every few rows, or (`each`) after every one."""
    source = _Lines(pieces)
    rows = _Rows(source, shape)
    repairs = Repairs()
    posts = RowReader(shape.table, identity)
    values = _picker([shape.names.index(column) for column in posts.columns])
    for number, row in enumerate(rows, 1):
        if source.offset >= after:
            if isinstance(row, _Bad):
                lines.reject(row.reason, row.line.encode("utf-8", "surrogateescape"), row.offset, at_least=row.at_least)
            elif isinstance(row, Damage):
                lines.reject(str(row), b"", source.offset, at_least=True)
            else:
                _add(posts, values(row), lines, source, repairs)
        if each or number % _BATCH == 0:
            yield source.offset + sum(_size(line) for line in source.taken)


def _add(posts: RowReader, values: Sequence[Any], lines: LineBatch, source: _Lines, repairs: Repairs) -> None:
    before = repairs.count
    offset = source.offset
    try:
        post = posts.post(values, offset, repairs)
    except Malformed as malformed:
        lines.reject(str(malformed), "".join(source.taken).encode("utf-8", "surrogateescape"), offset)
        return
    post.source_cursor = f"{lines.where}:{offset}"
    lines.events.append(post)
    lines.read += 1
    lines.repaired += repairs.count > before


def _picker(indices: list[int]) -> Any:
    return itemgetter(*indices)


class _Bad:
    """Lines that are no row."""

    __slots__ = ("at_least", "line", "offset", "reason")

    def __init__(self, reason: str, line: str, offset: int, *, at_least: bool) -> None:
        self.reason = reason
        self.line = line
        self.offset = offset
        self.at_least = at_least


class _Rows:
    """The rows of a table behind its header, and what was lost between them."""

    def __init__(self, source: _Lines, shape: Shape) -> None:
        self._source = source
        self._shape = shape
        self._reader = self._new_reader()
        self._pending: _Bad | None = None  # a row over several lines, until the next good one is found
        self._header = shape.header

    def __iter__(self) -> Iterator[list[str] | _Bad | Damage]:
        source = self._source
        while True:
            source.begin_row()
            row, reason = self._next()
            if row is None and not reason:
                damage = source.clear_damage()
                if damage is None:
                    break
                yield damage
            elif reason:
                yield from self._lost(reason)
            elif row and not self._is_mark(row):
                yield from self._good(row)
        if self._pending is not None:
            yield self._pending

    def _next(self) -> tuple[list[str] | None, str]:
        """The next row, or why there is none; neither at the end and before a damage."""
        try:
            row: list[str] = next(self._reader)
        except StopIteration:
            self._reader = self._new_reader()
            return None, ""
        except csv.Error as error:
            self._reader = self._new_reader()
            return None, f"not a row of CSV: {error}"
        width = len(self._shape.names)
        if row and len(row) != width and not self._is_mark(row):
            return row, f"{len(row)} columns where the header has {width}"
        return row, ""

    def _good(self, row: list[str]) -> Iterator[list[str] | _Bad]:
        if self._header:
            self._header = False
            return
        if self._pending is not None:
            yield self._pending
            self._pending = None
        yield row

    def _lost(self, reason: str) -> Iterator[_Bad]:
        source = self._source
        if source.damage is not None and "end of data" in reason:
            return  # the damage accounts for it
        several = len(source.taken) > 1
        line = "".join(source.taken[:1])
        if several:
            source.give_back()
        if self._pending is not None:
            return
        bad = _Bad(reason, line, source.offset, at_least=several)
        if several:
            self._pending = bad
        else:
            yield bad

    def _new_reader(self) -> Any:
        return csv.reader(self._source, delimiter=self._shape.delimiter, strict=True)

    def _is_mark(self, row: list[str]) -> bool:
        """Whether the row is what tells a spreadsheet the delimiter."""
        return len(row) <= 2 and row[0].lower().startswith("sep=") and self._source.offset == 0
