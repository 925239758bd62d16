"""Objects whose records are told apart until they are converted: each record with its position and arrival."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FRAMED = "FRAMED"  # in place of a compression
_HEAD = struct.Struct(">QI")  # arrival (epoch ms), size of what follows: the position, a space, the data


class Framed(NamedTuple):
    """A record of a framed object."""

    position: str
    arrived: int  # epoch milliseconds
    data: bytes


def framed(position: int, arrived: int, data: bytes) -> bytes:
    """A record as it stands in a framed object."""
    body = f"{position} ".encode() + data
    return _HEAD.pack(arrived, len(body)) + body


def frames(path: Path) -> Iterator[Framed]:
    """The records of a framed object, in order."""
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            arrived, size = _HEAD.unpack(head)
            position, _, data = file.read(size).partition(b" ")
            yield Framed(position.decode(), arrived, data)
