"""Records that a Kinesis Producer Library aggregated, taken apart again.

Source of the form: "KPL Aggregated Record Format" (amazon-kinesis-producer): a magic number, a protocol buffer whose
field 3 holds the records (field 3 of each is its data), and the MD5 of that buffer.
"""

import hashlib
from collections.abc import Iterator

_MAGIC = bytes.fromhex("f3899ac2")
_DIGEST = 16  # bytes of the MD5 at the end
_RECORDS = _DATA = 3
_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5


def parts(data: bytes) -> list[bytes]:
    """The user's records in one Kinesis record; the record itself where it is no aggregate."""
    if not data.startswith(_MAGIC):
        return [data]
    body = data[len(_MAGIC) : -_DIGEST]
    digest = data[-_DIGEST:]
    if hashlib.md5(body, usedforsecurity=False).digest() != digest:
        return [data]
    try:
        return [
            value
            for number, record in _fields(body)
            if number == _RECORDS
            for name, value in _fields(record)
            if name == _DATA
        ]
    except (IndexError, ValueError):
        return [data]


def _fields(buffer: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field that has bytes; numbers are passed over. Raises IndexError or ValueError."""
    at = 0
    while at < len(buffer):
        key, at = _varint(buffer, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(buffer, at)
        elif kind == _BYTES:
            size, at = _varint(buffer, at)
            if at + size > len(buffer):
                raise ValueError("a field ends behind its buffer")
            yield key >> 3, buffer[at : at + size]
            at += size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"there is no wire type {kind}")


def _varint(buffer: bytes, at: int) -> tuple[int, int]:
    """A number, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = buffer[at]
        value |= (byte & 127) << shift
        at = at + 1
        shift = shift + 7
        if byte < 128:
            return value, at
