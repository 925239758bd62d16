"""Objects in the making: a spool file each, written as records come, with all that its key and delivery need."""

import contextlib
import gzip
import time
import uuid
import zipfile
from pathlib import Path
from typing import IO

from isal import igzip

from localaws.services.firehose.records.framing import FRAMED, framed

MIB = 1024 * 1024
_CHUNK = MIB  # bytes gathered before they are compressed, for which other threads are let run
_GZIP_LEVEL = 3  # of isal: the size of zlib's level 4 on JSON within 3 %, in a quarter of its time


class OpenObject:
    """One object that is being filled. `partition` and `error_type` decide under which prefix it goes."""

    def __init__(self, spool: Path, compression: str, partition: tuple[str, ...] = (), error_type: str = "") -> None:
        spool.mkdir(parents=True, exist_ok=True)
        self.id = uuid.uuid4()
        self.path = spool / f"{self.id}.part"
        self.partition = partition
        self.error_type = error_type
        self.opened = time.monotonic()
        self.size = 0  # bytes before compression
        self.records = 0
        self.oldest = 0  # arrival of the oldest record, epoch milliseconds
        self.first: dict[str, int] = {}  # shard -> position of its earliest record in here
        self._files, self._writer = self._open(compression)
        self._framed = compression == FRAMED
        self._gathered: list[bytes] = []
        self._gathered_size = 0

    def add(self, shard: str, position: int, arrived: int, data: bytes) -> None:
        """Take a record of this shard, or a piece of one."""
        if self._framed:
            self._gathered.append(framed(position, arrived, data))
        else:
            self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size >= _CHUNK:
            self._write()
        self.size += len(data)
        self.records += 1
        self.oldest = min(self.oldest or arrived, arrived)
        if position < self.first.setdefault(shard, position):
            self.first[shard] = position

    def seal(self) -> None:
        """Finish the file; nothing can be added from here on."""
        self._write()
        self._writer.close()
        for handle in self._files:
            handle.close()

    def discard(self) -> None:
        # The bytes are of no more use, so it does not matter whether the last of them can be written.
        self._gathered = []
        self._gathered_size = 0
        with contextlib.suppress(OSError):
            self.seal()
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._writer.write(b"".join(self._gathered))
        self._gathered = []
        self._gathered_size = 0

    def _open(self, compression: str) -> tuple[list[IO[bytes] | zipfile.ZipFile], IO[bytes] | gzip.GzipFile]:
        """What to close after the writer, and the writer."""
        if compression == "GZIP":
            raw = self.path.open("wb")
            return [raw], _gzip(raw)
        if compression == "ZIP":
            archive = zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED)
            return [archive], archive.open(str(self.id), "w", force_zip64=True)
        return [], self.path.open("wb")


def _gzip(raw: IO[bytes]) -> gzip.GzipFile:
    compressed: gzip.GzipFile = igzip.IGzipFile(  # type: ignore[no-untyped-call]  # isal has no types for it
        filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=raw, mtime=0
    )
    return compressed
