"""Lines out of pieces, each held once; a line that is too long is rejected and never held in memory as a whole."""

from collections.abc import Iterator

from postrank.posts.events import LINE_LIMIT as SHOWN
from postrank.posts.formats.json_repair import is_json
from postrank.sources.files.containers.pieces import Damage, Pieces
from postrank.sources.files.line_batches import LineBatch


class LineReader:
    """Adds the lines of pieces that begin at `after` or later to `lines`.

    `offset` is that of the first byte of the pieces; `each`: an offset after every line rather than every piece.
    """

    def __init__(self, lines: LineBatch, limit: int, offset: int, after: int, *, each: bool) -> None:
        self._lines = lines
        self._limit = limit
        self._offset = offset
        self._after = after
        self._each = each
        self._rest = b""  # an unfinished line
        self._start = b""  # of a line that is too long: how it begins
        self._gone = 0  # and how many of its bytes are dropped
        self._torn = False  # a damage lies just before: what cannot be read of the first line belongs to it

    def read(self, pieces: Pieces) -> Iterator[int]:
        """The offset behind the last whole line, every now and then."""
        for piece in pieces:
            if isinstance(piece, Damage):
                self._report(piece)
                continue
            if not self._rest and not self._gone and not piece.strip():
                self._pass_over_blanks(piece)
                continue
            *whole, self._rest = (self._rest + piece).split(b"\n")
            count = len(whole)
            whole = self._behind(self._untorn(whole))
            if self._each or self._gone or max(map(len, whole), default=0) > self._limit:
                yield from self._one_by_one(whole)
            elif self._lines.is_special:
                for line in whole:
                    self._lines.add(line, self._offset)
                    self._offset += len(line) + 1
            else:
                self._offset = self._lines.add_all(whole, self._offset)
            if self._gone or len(self._rest) > self._limit:
                self._drop_rest()
            if count and not self._each:
                yield self._offset
        self._finish()

    def _pass_over_blanks(self, piece: bytes) -> None:
        """Count blank lines without looking at each: a bomb is made of little else."""
        self._offset += len(piece)
        if self._offset > self._after:
            self._lines.ignore("blank", piece.count(b"\n"))

    def _report(self, damage: Damage) -> None:
        """A damage takes the line along that it tears."""
        if self._rest and (not damage.torn or is_json(self._rest)) and self._offset >= self._after:
            self._lines.add(self._rest, self._offset)
        if self._offset >= self._after:
            torn = (self._start or self._rest) if damage.torn else b""
            self._lines.reject(str(damage), torn, self._offset, at_least=True)
        self._offset += len(self._rest) + self._gone
        self._rest = b""
        self._start = b""
        self._gone = 0
        self._torn = damage.torn

    def _untorn(self, whole: list[bytes]) -> list[bytes]:
        if not self._torn or not whole:
            return whole
        self._torn = False
        if is_json(whole[0]):
            return whole
        self._offset += len(whole[0]) + 1
        return whole[1:]

    def _behind(self, whole: list[bytes]) -> list[bytes]:
        """The lines that are not done yet."""
        if self._offset >= self._after:
            return whole
        for number, line in enumerate(whole):
            if self._offset >= self._after:
                return whole[number:]
            self._offset += len(line) + 1
        return []

    def _one_by_one(self, whole: list[bytes]) -> Iterator[int]:
        for line in whole:
            if self._gone or len(line) > self._limit:
                self._reject_long(self._start or line)
            else:
                self._lines.add(line, self._offset)
            self._offset += self._gone + len(line) + 1
            self._start = b""
            self._gone = 0
            if self._each:
                yield self._offset

    def _drop_rest(self) -> None:
        self._start = self._start or self._rest[:SHOWN]
        self._gone += len(self._rest)
        self._rest = b""

    def _reject_long(self, line: bytes) -> None:
        self._lines.reject(f"line longer than {self._limit} bytes", line, self._offset, at_least=True)

    def _finish(self) -> None:
        if self._gone:
            self._reject_long(self._start)
        elif self._rest and self._offset >= self._after:
            self._lines.add(self._rest, self._offset)
