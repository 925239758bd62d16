"""Decompressing gzip, bzip2, xz and zstd so that everything that can be recovered is.

All members or frames of a file are read. At a damage the data before it is kept, to the last byte that the decompressor
gives; then reading resumes at the next member, if one follows. Memory is bounded: a step gives at most 256 KiB, or
128 KiB for zstd, whose window may take up to 2 GiB (`zstd --long=31`).
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import zstandard

from postrank.sources.files.containers.pieces import CHUNK, Damage, PieceReader, Pieces

_STEP = CHUNK  # bytes that one call may give
_FEED = 1 << 16  # compressed bytes that one call takes
WINDOW = 1 << 31  # bytes of a zstd frame's window
_PART = 1 << 8  # compressed bytes of a call that loses its output when it fails
_PART_OUTPUT = 1 << 16
_XZ_MEMORY = 1 << 30  # bytes that an xz decoder may take

_ZSTD = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))  # RFC 8878, 3.1.2
MAGIC: dict[str, tuple[bytes, ...]] = {
    "gzip": (b"\x1f\x8b\x08",),
    "bzip2": (b"BZh",),
    "xz": (b"\xfd7zXZ\x00",),
    "zstd": (_ZSTD, *_SKIPPABLE),
}
_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, ValueError, MemoryError)


def compression(start: bytes) -> str:
    """The compression that the first bytes of a file show: "gzip", "bzip2", "xz", "zstd" or "none"."""
    for name, magics in MAGIC.items():
        if start.startswith(magics):
            return "none" if name == "bzip2" and not start[3:4].isdigit() else name
    return "none"


def decompressed(pieces: Pieces, kind: str) -> Pieces:  # noqa: C901 - one branch a way in which a file can end
    """The bytes of every member or frame, and each damage in its place."""
    reader = PieceReader(pieces)
    member = _MEMBERS[kind]
    lost_from: int | None = None  # where bytes that are no member begin, once a damage was reported
    while not reader.at_end:
        if (damage := reader.clear_damage()) is not None:
            yield damage
            continue
        start = reader.offset
        if not _begins(reader, kind):
            if lost_from is None:
                lost_from = start
                if _only_padding(reader):
                    return
                yield Damage(f"bytes behind the {kind} data that are not {kind} data", start, torn=False)
            _resync(reader, kind)
            continue
        gave = False
        for piece in member(reader):
            if isinstance(piece, Damage):
                if gave or lost_from is None:
                    yield piece
                lost_from = start
            else:
                gave = True
                yield piece
        if lost_from == start:
            _resync(reader, kind)
        elif gave:
            lost_from = None


def _begins(reader: PieceReader, kind: str) -> bool:
    return reader.peek(6).startswith(MAGIC[kind])


def _resync(reader: PieceReader, kind: str) -> None:
    """Drop bytes until something begins that looks like a member."""
    markers = {"gzip": b"\x1f\x8b\x08", "bzip2": b"BZh", "xz": MAGIC["xz"][0], "zstd": _ZSTD}
    reader.find(markers[kind])


def _only_padding(reader: PieceReader) -> bool:
    """Whether nothing but zeros follows, as tapes and block devices leave them. They are dropped then."""
    while data := reader.take_some():
        if data.strip(b"\0"):
            reader.unread(data.lstrip(b"\0"))
            return False
    return reader.damage is None


class _Decoder(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def _gzip_member(reader: PieceReader) -> Pieces:
    start = reader.offset
    decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    while not decoder.eof:
        data = reader.take(_FEED)
        if not data:
            yield _cut("gzip", reader)
            return
        while data or decoder.unconsumed_tail:
            before = decoder.copy()
            pending = data or decoder.unconsumed_tail
            try:
                output = decoder.decompress(pending, _STEP)
            except zlib.error as error:
                saved, consumed = _saved(before, pending)
                if saved:
                    yield saved
                reader.unread(pending[consumed:])
                yield Damage(f"the gzip data is damaged: {_why(error)}", reader.offset)
                _skip_magic(reader, start)
                return
            if output:
                yield output
            data = b""
            if _ended(decoder):
                break
    reader.unread(decoder.unused_data)


def _ended(decoder: "zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor") -> bool:
    return decoder.eof


def _saved(decoder: "zlib._Decompress", data: bytes) -> tuple[bytes, int]:
    """What a decompressor gives of data that is damaged somewhere, and how many bytes it took for that."""
    saved = bytearray()
    for at in range(len(data)):
        try:
            saved += decoder.decompress(data[at : at + 1])
        except zlib.error:
            return bytes(saved), at
    return bytes(saved), len(data)


def _bounded_member(
    kind: str, make: Callable[[], "bz2.BZ2Decompressor | lzma.LZMADecompressor"]
) -> Callable[..., Pieces]:
    """Members of a decompressor that takes a limit a call. A call that fails loses its output, so calls are small."""

    def member(reader: PieceReader) -> Pieces:
        start = reader.offset
        decoder = make()
        while not decoder.eof:
            data = reader.take(_FEED) if decoder.needs_input else b""
            if decoder.needs_input and not data:
                yield _cut(kind, reader)
                return
            at = 0
            while True:
                part = data[at : at + _PART]
                at += len(part)
                try:
                    output = decoder.decompress(part, _PART_OUTPUT)
                except (OSError, lzma.LZMAError, ValueError, MemoryError, EOFError) as error:
                    reader.unread(data[at:])
                    yield Damage(f"the {kind} data is damaged: {_why(error)}", reader.offset - len(part))
                    _skip_magic(reader, start)
                    return
                if output:
                    yield output
                if _ended(decoder):
                    reader.unread(decoder.unused_data + data[at:])
                    return
                if at >= len(data) and decoder.needs_input:
                    break

    return member


def _zstd_member(reader: PieceReader) -> Pieces:  # noqa: C901 - one branch a part of the frame
    """One frame, or one skippable frame. Its blocks are fed one by one, each of which gives at most 128 KiB."""
    start = reader.offset
    magic = reader.peek(8)
    if magic[:4] in _SKIPPABLE:
        yield from _skip_frame(reader, magic)
        return
    try:
        frame = _FrameHeader.of(reader.peek(18))
    except ValueError as error:
        reader.take(4)
        yield Damage(str(error), start)
        return
    if frame is None:
        reader.take(18)
        yield _cut("zstd", reader)
        return
    decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
    feed = reader.take(frame.length)
    try:
        decoder.decompress(feed)
        last = False
        while not last:
            header = reader.take(3)
            if len(header) < 3:
                yield _cut("zstd", reader)
                return
            word = int.from_bytes(header, "little")
            last = bool(word & 1)
            size = 1 if word >> 1 & 3 == 1 else word >> 3  # a run is one byte, repeated
            if word >> 1 & 3 == 3:
                raise zstandard.ZstdError("a block of a type that does not exist")
            block = reader.take(size)
            if output := decoder.decompress(header + block):
                yield output
            if len(block) < size:
                yield _cut("zstd", reader)
                return
        if frame.checksum:
            checksum = reader.take(4)
            if len(checksum) < 4:
                yield _cut("zstd", reader)
                return
            if output := decoder.decompress(checksum):
                yield output
    except (zstandard.ZstdError, MemoryError) as error:
        yield Damage(f"the zstd data is damaged: {_why(error)}", reader.offset)
        _skip_magic(reader, start)


def _skip_frame(reader: PieceReader, magic: bytes) -> Pieces:
    size = int.from_bytes(magic[4:8], "little")
    reader.take(8)
    while size > 0 and (data := reader.take(min(size, _STEP))):
        size -= len(data)
    if size or len(magic) < 8:
        yield Damage("a skippable zstd frame is cut off", reader.offset, torn=False)


@dataclass(frozen=True, slots=True)
class _FrameHeader:
    """What a zstd frame says of itself (RFC 8878, 3.1.1.1). `length` includes the magic number."""

    length: int
    checksum: bool

    @classmethod
    def of(cls, start: bytes) -> "_FrameHeader | None":
        """None where the header is cut off. Raises ValueError for a frame that cannot be read, and says why."""
        if len(start) < 5:
            return None
        descriptor = start[4]
        single = descriptor >> 5 & 1
        dictionary = (0, 1, 2, 4)[descriptor & 3]
        content = (single, 2, 4, 8)[descriptor >> 6]
        window = 1 - single
        length = 5 + window + dictionary + content
        if len(start) < length:
            return None
        if dictionary and any(start[5 + window : 5 + window + dictionary]):
            raise ValueError("the zstd data needs a dictionary: decompress it first, with `zstd -d -D DICTIONARY`")
        if window:
            exponent = 10 + (start[5] >> 3)
            size = (1 << exponent) + (1 << exponent >> 3) * (start[5] & 7)
            if size > WINDOW:
                raise ValueError(
                    f"the zstd data needs a window of {size >> 20:,} MiB, more than {WINDOW >> 20:,} MiB: "
                    "decompress it first, with `zstd -d --ultra --long=31 --memory=...`"
                )
        return cls(length, bool(descriptor & 4))


def _cut(kind: str, reader: PieceReader) -> Damage:
    if (damage := reader.clear_damage()) is not None:
        return damage
    return Damage(f"the {kind} data is cut off: the file is incomplete", reader.offset)


def _skip_magic(reader: PieceReader, start: int) -> None:
    """Pass over at least the first byte of a member, so that a search for the next one does not find it again."""
    if reader.offset <= start:
        reader.take(start + 1 - reader.offset)


def _why(error: Exception) -> str:
    return (str(error).partition(":")[2].strip() or str(error)) if isinstance(error, zlib.error) else str(error)


_MEMBERS: dict[str, Callable[[PieceReader], Pieces]] = {
    "gzip": _gzip_member,
    "bzip2": _bounded_member("bzip2", bz2.BZ2Decompressor),
    "xz": _bounded_member("xz", lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
    "zstd": _zstd_member,
}
