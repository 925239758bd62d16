"""Opening files whatever they were compressed with, recognised by their first bytes, never by their names."""

import bz2
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

# What reading a damaged or cut-off file raises.
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError, OSError)
_GZIP, _BZIP2, _ZSTD = b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd"


def compression(start: bytes) -> str:
    """The compression that the first bytes of a file tell of: "gzip", "bzip2", "zstd" or "none"."""
    for magic, name in ((_GZIP, "gzip"), (_BZIP2, "bzip2"), (_ZSTD, "zstd")):
        if start.startswith(magic):
            return name
    return "none"


def open_decompressed(path: Path) -> tuple[BinaryIO, str]:
    """The file's decompressed bytes (of all members or frames), and its compression. Raises OSError."""
    raw = path.open("rb")
    kind = compression(raw.peek(4)[:4])
    if kind == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw)), kind
    if kind == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(raw)), kind
    if kind == "zstd":
        return zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True), kind
    return raw, kind


def skip(file: BinaryIO, kind: str, offset: int) -> None:
    """Go to an offset in the decompressed bytes; only plain files can do it without reading."""
    if kind == "none":
        file.seek(offset)
        return
    while offset > 0 and (chunk := file.read(min(offset, 1 << 20))):
        offset -= len(chunk)
