"""A block of Jetstream's archive: one zstd frame that holds up to some thousand events, column by column.

The columns are, all little-endian: seq (u64), witnessed (i64, µs), indexed (i64, µs), kind (u8), the lengths of
collection (u8), DID (u16), record key (u8), revision (u8) and payload (u32); then the texts and payloads themselves
(Jetstream's repository, "Segment Blocks File Format").
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import zstandard

from postrank.posts import Malformed

CREATE, UPDATE, DELETE, IDENTITY, ACCOUNT, SYNC = range(1, 7)
OPERATIONS = {CREATE: "create", UPDATE: "update", DELETE: "delete"}
_MOST_BYTES = 256 << 20  # of a block, once decompressed
_FIXED = "QqqBBHBBI"  # the columns of fixed width, in their order
_TEXTS = (4, 5, 6, 7, 8)  # the places among them of the lengths


@dataclass(frozen=True, slots=True)
class Row:
    """An archived event. `payload` is DAG-CBOR."""

    seq: int
    witnessed_us: int
    kind: int
    collection: str
    did: str
    rkey: str
    payload: bytes


def rows(frame: bytes) -> Iterator[Row]:
    """The events of a block, in order. Raises Malformed for a block that cannot be read as a whole."""
    try:
        data = zstandard.ZstdDecompressor().decompress(frame, max_output_size=_MOST_BYTES)
        (count,) = struct.unpack_from("<I", data)
        columns, at = _fixed(data, count)
        texts = [_variable(data, at_, lengths) for at_, lengths in _places(columns, at, len(data))]
        return _rows(columns, texts)
    except (zstandard.ZstdError, struct.error, UnicodeDecodeError) as error:
        raise Malformed(f"a block of the archive that cannot be read: {error}") from error


def _fixed(data: bytes, count: int) -> tuple[list[tuple[int, ...]], int]:
    at = 4
    columns = []
    for letter in _FIXED:
        form = f"<{count}{letter}"
        columns.append(struct.unpack_from(form, data, at))
        at += struct.calcsize(form)
    return columns, at


def _places(columns: list[tuple[int, ...]], at: int, end: int) -> list[tuple[int, tuple[int, ...]]]:
    """Where each of the variable columns begins, with the lengths of its values."""
    places = []
    for place in _TEXTS:
        places.append((at, columns[place]))
        at += sum(columns[place])
    if at != end:
        raise struct.error(f"its columns take {at} bytes, and it has {end}")
    return places


def _variable(data: bytes, at: int, lengths: tuple[int, ...]) -> list[bytes]:
    ends = list(accumulate(lengths, initial=at))
    return [data[start:end] for start, end in pairwise(ends)]


def _rows(columns: list[tuple[int, ...]], texts: list[list[bytes]]) -> Iterator[Row]:
    collections, dids, rkeys, _, payloads = texts
    decoded = [[value.decode() for value in column] for column in (collections, dids, rkeys)]
    return map(Row, columns[0], columns[1], columns[3], *decoded, payloads)
