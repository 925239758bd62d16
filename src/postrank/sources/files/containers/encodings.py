"""Text encodings of documents: UTF-8 with or without a mark, UTF-16, UTF-32, recognised by their first bytes."""

import codecs
from collections.abc import Iterator

from postrank.sources.files.containers.pieces import Damage, Pieces

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_SAMPLE = 256


def encoding(head: bytes) -> str:
    """The encoding of a document that begins so; "utf-8" unless its first bytes show another one."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    sample = head[:_SAMPLE]
    if len(sample) < 4 or b"\0" not in sample:
        return "utf-8"
    even = sample[0::2].count(0)
    odd = sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.7 and even < half * 0.3:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.3:
        return "utf-16-be"
    return "utf-8"


def as_utf8(pieces: Pieces, name: str) -> Pieces:
    """The pieces in UTF-8, without the mark at the beginning of a file."""
    if name == "utf-8":
        return pieces
    if name == "utf-8-sig":
        return _without_mark(pieces)
    return _decoded(pieces, name)


def _without_mark(pieces: Pieces) -> Pieces:
    rest = b""
    for piece in pieces:
        if isinstance(piece, Damage):
            yield piece
            continue
        rest += piece
        if len(rest) < len(codecs.BOM_UTF8):
            continue
        while rest.startswith(codecs.BOM_UTF8):
            rest = rest[len(codecs.BOM_UTF8) :]
        yield rest
        break
    yield from pieces


def _decoded(pieces: Pieces, name: str) -> Iterator[bytes | Damage]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    offset = 0
    first = True
    for piece in pieces:
        if isinstance(piece, Damage):
            decoder.reset()
            yield piece
            continue
        text = decoder.decode(piece)
        offset += len(piece)
        if first and text:
            text = text.lstrip("\ufeff")
            first = False
        if text:
            yield text.encode("utf-8", "replace")
    left, _ = decoder.getstate()
    if left:
        yield Damage(f"the {name} text ends within a character", offset)
