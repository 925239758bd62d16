"""Opening files whatever they were compressed with, recognised by their first bytes, never by their names."""

import bz2
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

# What reading a damaged or cut-off file raises.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError, OSError)
_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"
_ZSTD = b"\x28\xb5\x2f\xfd"


def compression(start: bytes) -> str:
    """The compression that the first bytes of a file tell of: "gzip", "bzip2", "zstd" or "none"."""
    for magic, name in ((_GZIP, "gzip"), (_BZIP2, "bzip2"), (_ZSTD, "zstd")):
        if start.startswith(magic):
            return name
    return "none"


def open_decompressed(path: Path) -> tuple[BinaryIO, str]:
    """The file's decompressed bytes (of all members or frames), and its compression. Raises OSError."""
    raw = path.open("rb")
    try:
        kind = compression(raw.peek(4)[:4])
    except OSError:
        raw.close()
        raise
    if kind == "gzip":
        return cast(BinaryIO, _GzipFile(raw)), kind
    if kind == "bzip2":
        return cast(BinaryIO, _Bzip2File(raw)), kind
    if kind == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True), kind
    return raw, kind


class _GzipFile(gzip.GzipFile):
    """Closes the file that it reads, which the library's own leaves open."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        super().__init__(fileobj=raw)

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Bzip2File(bz2.BZ2File):
    """Closes the file that it reads, which the library's own leaves open."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        super().__init__(raw)

    def close(self) -> None:
        super().close()
        self._raw.close()


def skip(file: BinaryIO, kind: str, offset: int) -> None:
    """Go to an offset in the decompressed bytes; only plain files can do it without reading."""
    if kind == "none":
        file.seek(offset)
        return
    while offset > 0 and (chunk := file.read(min(offset, 1 << 20))):
        offset -= len(chunk)
