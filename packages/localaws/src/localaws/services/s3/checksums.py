"""The checksums that S3 keeps with objects: "Checking object integrity in Amazon S3"."""

import hashlib
import zlib
from base64 import b64encode
from functools import cache
from typing import Protocol

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
HEADERS = {f"x-amz-checksum-{name.lower()}": name for name in ALGORITHMS}


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _TableCrc:
    """A reflected CRC whose register begins and ends inverted. Python's speed: a few MB/s."""

    def __init__(self, polynomial: int, width: int) -> None:
        self._table = _table(polynomial)
        self._width = width
        self._mask = (1 << width) - 1
        self._value = self._mask

    def update(self, data: bytes) -> None:
        table = self._table
        value = self._value
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
        self._value = value

    def digest(self) -> bytes:
        return (self._value ^ self._mask).to_bytes(self._width // 8, "big")


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return tuple(table)


def new(algorithm: str) -> Digest:
    """A running checksum of one of ALGORITHMS. Raises ValueError for any other."""
    if algorithm == "CRC32":
        return _Crc32()
    if algorithm == "CRC32C":
        return _TableCrc(0x82F63B78, 32)
    if algorithm == "CRC64NVME":
        return _TableCrc(0x9A6C9329AC4BC9B5, 64)
    if algorithm == "SHA1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "SHA256":
        return hashlib.sha256()
    raise ValueError(f"{algorithm} is no checksum algorithm")


def shown(digest: Digest) -> str:
    """The form in headers and answers."""
    return b64encode(digest.digest()).decode()
