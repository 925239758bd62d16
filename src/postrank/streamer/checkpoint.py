"""The checkpoint: what the streamer knows of everything that is durable, as a journal of fsync'd frames.

A frame is length (4 bytes), CRC-32 (4 bytes) and JSON: the cursor, the counts, and what the windows need to come to
the same point. A frame that was cut off by a crash ends the journal: what it would have said was never promised to
anyone.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

_HEAD = struct.Struct("<II")


class Checkpoint:
    """One journal file. `frames` once at the start, then `append`; `rewrite` when it has grown."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")

    @property
    def size(self) -> int:
        """Bytes of the journal."""
        return self._file.tell()

    def frames(self) -> Iterator[dict[str, Any]]:
        """Every whole frame, oldest first; a damaged end is cut off."""
        whole = 0
        with self._path.open("rb") as file:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                length, checksum = _HEAD.unpack(head)
                body = file.read(length)
                if len(body) < length or crc32(body) != checksum:
                    break
                whole = file.tell()
                yield orjson.loads(body)
        self._file.truncate(whole)
        self._file.seek(whole)

    def append(self, frames: Iterable[bytes]) -> None:
        """Make frames (bodies) durable, in their order."""
        self._file.write(b"".join(map(_framed, frames)))
        self._file.flush()
        os.fsync(self._file.fileno())

    def rewrite(self, frame: bytes) -> None:
        """Replace the whole journal by one frame, at once."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(_framed(frame))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        sync_folder(self._path.parent)
        self._file.close()
        self._file = self._path.open("ab")

    def close(self) -> None:
        self._file.close()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _framed(body: bytes) -> bytes:
    return _HEAD.pack(len(body), crc32(body)) + body
