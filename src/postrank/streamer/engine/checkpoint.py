"""The checkpoint: what the streamer knows of everything that is durable, as a journal of fsync'd frames.

A frame is length (4 bytes), CRC-32 (4 bytes) and JSON: the cursor, the counts, and what the windows need to come to
the same point. A frame that was cut off by a crash ends the journal: what it would have said was never promised to
anyone. One that is damaged ends it too, and is told: what came behind it is read from the source again.
"""

import errno
import logging
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import orjson

from postrank.documents import Document
from postrank.errors import Retryable

log = logging.getLogger(__name__)
_HEAD = struct.Struct("<II")


class JournalFull(Retryable):
    """The disk has no room for the journal; what was read since its last frame will be read again."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no room for {path}: make room on its disk, or lower max_bytes in [spool]")
        self.path = path


class Checkpoint:
    """One journal file. `frames` once at the start, then `append`; `rewrite` when it has grown."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    @property
    def size(self) -> int:
        """Bytes of the journal."""
        return self._file.tell()

    def frames(self) -> Iterator[Document]:
        """Every whole frame, oldest first; what is behind the last one is cut off, and put aside if it was damaged."""
        whole = 0
        damaged = False
        with self._path.open("rb") as file:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                length, checksum = _HEAD.unpack(head)
                body = file.read(length)
                damaged = len(body) == length and crc32(body) != checksum
                if len(body) < length or damaged:
                    break
                whole = file.tell()
                yield orjson.loads(body)
            if damaged:
                self._put_aside(file, whole)
        self._file.truncate(whole)
        self._file.seek(whole)

    def append(self, frames: Iterable[bytes]) -> None:
        """Make frames (bodies) durable, in their order; all or none. Raises JournalFull, OSError."""
        before = self.size
        try:
            left = memoryview(b"".join(map(_framed, frames)))
            while left:  # a disk that is nearly full takes a part
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(before)
            self._file.seek(before)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise JournalFull(self._path) from error
            raise

    def _put_aside(self, file: BinaryIO, start: int) -> None:
        file.seek(start)
        rest = file.read()
        aside = self._path.with_suffix(".damaged")
        aside.write_bytes(rest)
        log.error("journal damaged", extra={"fields": {"at": start, "bytes": len(rest), "kept_as": str(aside)}})

    def rewrite(self, frame: bytes) -> None:
        """Replace the whole journal by one frame, at once: it needs room for both.

        Raises JournalFull, OSError; the journal is then as it was.
        """
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(_framed(frame))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            fresh.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise JournalFull(self._path) from error
            raise
        fresh.replace(self._path)
        sync_folder(self._path.parent)
        self._file.close()
        self._file = self._path.open("ab", buffering=0)

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
