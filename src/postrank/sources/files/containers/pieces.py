"""Bytes on their way through a file's layers: pieces of data, and the damage between them.

Every layer (decompression, archives, encodings) takes pieces and gives pieces, so that whatever was read before a
damage reaches the parser, and the damage is reported once, where it lies.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, TypeAlias

CHUNK = 1 << 18  # bytes read at a time, and so about the size of a batch
HEAD = 1 << 16  # bytes of a document that are looked at to recognise it


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where data is damaged. `torn`: what came just before it may be incomplete."""

    reason: str
    offset: int  # in the bytes of the layer that is damaged
    torn: bool = True

    def __str__(self) -> str:
        return f"{self.reason} (byte {self.offset:,})"


Piece: TypeAlias = bytes | Damage
Pieces: TypeAlias = Iterator[Piece]


def pieces_of(file: BinaryIO) -> Pieces:
    """A file's bytes from where it stands. An error of the disk is a damage, not the end of the run."""
    while True:
        try:
            data = file.read(CHUNK)
        except OSError as error:
            yield Damage(f"the disk cannot read on: {error.strerror or error}", file.tell())
            return
        if not data:
            return
        yield data


def peek(pieces: Pieces, size: int = HEAD) -> tuple[bytes, Pieces, bool]:
    """The first `size` bytes or more (fewer before a damage or the end), all pieces again, and whether they are all."""
    held: list[Piece] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        if isinstance(piece, Damage):
            break
        length += len(piece)
        if length >= size:
            break
    else:
        return b"".join(piece for piece in held if isinstance(piece, bytes)), iter(held), True
    head = b"".join(piece for piece in held if isinstance(piece, bytes))
    return head, chain(held, pieces), False


class PieceReader:
    """Reads exact numbers of bytes out of pieces; keeps the damage that it meets for its caller."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()
        self._ended = False
        self.offset = 0  # of the next byte
        self.damage: Damage | None = None  # the one that ended the bytes before it

    def fill(self, size: int) -> bool:
        """Hold at least `size` bytes if there are so many before the next damage."""
        while len(self._held) < size and not self._ended and self.damage is None:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
            elif isinstance(piece, Damage):
                self.damage = piece
            else:
                self._held += piece
        return len(self._held) >= size

    def peek(self, size: int) -> bytes:
        """The next bytes, which stay."""
        self.fill(size)
        return bytes(self._held[:size])

    def take(self, size: int) -> bytes:
        """The next bytes; fewer at the end or before a damage."""
        self.fill(size)
        data = bytes(self._held[:size])
        del self._held[:size]
        self.offset += len(data)
        return data

    def take_some(self, most: int = CHUNK) -> bytes:
        """Whatever is at hand, at least one byte unless the end or a damage comes first."""
        self.fill(1)
        return self.take(min(len(self._held), most))

    def unread(self, data: bytes) -> None:
        """Put bytes back that were taken last."""
        self._held[:0] = data
        self.offset -= len(data)

    def find(self, marker: bytes) -> bool:
        """Drop bytes until the marker comes next; False when it does not come before the end or a damage."""
        while True:
            at = self._held.find(marker)
            if at >= 0:
                self.take(at)
                return True
            self.take(max(len(self._held) - len(marker) + 1, 0))
            if not self.fill(len(self._held) + 1):
                self.take(len(self._held))
                return False

    def clear_damage(self) -> Damage | None:
        """The damage that comes next, once; reading continues behind it."""
        if self._held:
            return None
        damage = self.damage
        self.damage = None
        return damage

    @property
    def at_end(self) -> bool:
        """Whether nothing is left, not even behind a damage."""
        return not self.fill(1) and self.damage is None
