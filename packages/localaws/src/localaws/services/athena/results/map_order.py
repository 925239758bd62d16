"""The order in which a result shows a map's entries: that of Java's HashMap, in which Trino gives them to a client."""

import struct
from collections.abc import Callable, Mapping
from typing import Any

_NESTED = ("array", "map", "row")
_MASK = 0xFFFFFFFF
_CAPACITY = 16  # buckets of an empty map, doubled as soon as three of four are in use


def entries(value: Mapping[Any, Any], kind: str) -> list[tuple[Any, Any]]:
    """The entries in order; as they are where the hash of a key of the kind (a type's name) is not known."""
    # Where keys are lists or rows, the engine gives two lists.
    listed = list(zip(value["key"], value["value"], strict=True)) if kind in _NESTED else list(value.items())
    hashed = _HASHES.get(kind)
    if hashed is None or len(listed) < 2:
        return listed
    capacity = _CAPACITY
    while len(listed) * 4 > capacity * 3:
        capacity *= 2
    return sorted(listed, key=lambda entry: _spread(hashed(entry[0])) & (capacity - 1))


def _spread(number: int) -> int:
    return (number ^ (number >> 16)) & _MASK


def _text(value: str) -> int:
    number = 0
    units = value.encode("utf-16-be")
    for (unit,) in struct.iter_unpack(">H", units):
        number = (number * 31 + unit) & _MASK
    return number


def _long(value: int) -> int:
    bits = value & 0xFFFFFFFFFFFFFFFF
    return (bits ^ (bits >> 32)) & _MASK


def _double(value: float) -> int:
    return _long(int.from_bytes(struct.pack(">d", value), "big"))


_HASHES: Mapping[str, Callable[[Any], int]] = {
    "varchar": _text,
    "boolean": lambda value: 1231 if value else 1237,
    "tinyint": lambda value: value & _MASK,
    "smallint": lambda value: value & _MASK,
    "integer": lambda value: value & _MASK,
    "bigint": _long,
    "double": _double,
}
