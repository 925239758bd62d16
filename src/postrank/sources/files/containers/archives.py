"""Archives as the files within them: tar, zip, and WARC records of API responses, read as streams.

What is damaged costs the member that it lies in; the next header is looked for behind it.
"""

import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from postrank.sources.files.containers.pieces import Damage, PieceReader, Pieces, pieces_of

_BLOCK = 512
_CHUNK = 1 << 18
_ACCOUNT = re.compile(rb'"accountId"\s*:\s*"(\d+)"')
_POSTS = re.compile(rb"\s*window\.YTD\.(?:tweets|tweet)\.part\d+\s*=\s*")
_LOCAL = b"PK\x03\x04"


@dataclass(slots=True)
class Member:
    """One file of an archive. Its pieces are to be used before the next member is asked for."""

    name: str
    pieces: Pieces


Members: TypeAlias = Iterator[Member | Damage]


def is_tar(head: bytes) -> bool:
    """Whether a file begins with the header of a tar archive, of whatever age."""
    if len(head) < _BLOCK:
        return False
    if head[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return b"\0" in head[:100]


def tar_members(pieces: Pieces) -> Members:
    """The files of a tar archive."""
    reader = PieceReader(pieces)
    long_name = ""
    while not reader.at_end:
        start = reader.offset
        if (damage := reader.clear_damage()) is not None:
            yield damage
            yield from _next_header(reader, start)
            continue
        block = reader.take(_BLOCK)
        if not block.strip(b"\0"):
            continue
        try:
            entry = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            whole = len(block) == _BLOCK
            yield Damage(f"the tar header is damaged: {error}" if whole else "the tar archive is cut off", start)
            yield from _next_header(reader, start)
            continue
        if entry.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            data = reader.take(_padded(min(entry.size, _CHUNK)))[: entry.size]
            if entry.type == tarfile.GNUTYPE_LONGNAME:
                long_name = data.rstrip(b"\0").decode(errors="replace")
            elif entry.type == tarfile.XHDTYPE:
                long_name = _pax_path(data) or long_name
            continue
        name = long_name or entry.name
        long_name = ""
        body = _Body(reader, entry.size, f"the tar archive is cut off within {name}")
        if entry.isreg():
            yield Member(name, body.pieces())
        body.finish()
        reader.take(_padded(entry.size) - entry.size)


def _padded(size: int) -> int:
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK


def _pax_path(data: bytes) -> str:
    """The `path` of a pax header: records of `<length> <key>=<value>` and a newline."""
    for record in data.split(b"\n"):
        key, _, value = record.partition(b" ")[2].partition(b"=")
        if key == b"path":
            return value.decode(errors="replace")
    return ""


def _next_header(reader: PieceReader, start: int) -> Iterator[Damage]:
    """Go to the next block that is a header."""
    reader.take(-(reader.offset - start) % _BLOCK if reader.offset != start else _BLOCK)
    while block := reader.peek(_BLOCK):
        if len(block) == _BLOCK and block[257:262] == b"ustar":
            try:
                tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
                return
            except tarfile.HeaderError:
                pass
        reader.take(_BLOCK)
    yield from ()


class _Body:
    """The bytes of one member: as many as its header says."""

    def __init__(self, reader: PieceReader, size: int, cut: str) -> None:
        self._reader = reader
        self._left = size
        self._cut = cut
        self._reported = False

    def pieces(self) -> Pieces:
        """The member's bytes; a damage where they end too early."""
        while self._left > 0:
            data = self._reader.take(min(self._left, _CHUNK))
            if data:
                self._left -= len(data)
                yield data
                continue
            damage = self._reader.clear_damage()
            self._left = 0
            yield damage or Damage(self._cut, self._reader.offset)

    def finish(self) -> None:
        """Pass over what was not read."""
        while self._left > 0 and (data := self._reader.take(min(self._left, _CHUNK))):
            self._left -= len(data)
        self._left = 0


def zip_members(file: BinaryIO) -> Members:
    """The files of a zip archive, by its directory; by the headers before each file where the directory is lost."""
    try:
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
        if not all(_is_header(file, entry.header_offset) for entry in entries):
            raise zipfile.BadZipFile("it points beyond the files")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        yield from _without_directory(file)
        yield Damage(
            f"the zip archive's directory cannot be read ({error}): the file is incomplete", _size(file), torn=False
        )
        return
    for entry in entries:
        if entry.is_dir():
            continue
        if entry.flag_bits & 1:
            yield Damage(
                f"{entry.filename} is encrypted: unpack the zip archive first", entry.header_offset, torn=False
            )
            continue
        yield Member(entry.filename, _zip_pieces(file, archive, entry))


def _is_header(file: BinaryIO, offset: int) -> bool:
    if offset < 0:
        return False
    file.seek(offset)
    return file.read(4) == _LOCAL


def zip_names(file: BinaryIO) -> list[str]:
    """The names of a zip archive's files; none where its directory cannot be read."""
    try:
        return zipfile.ZipFile(file).namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def account_of(file: BinaryIO, names: list[str]) -> str:
    """The id of the account whose personal archive of X this is; "" for any other archive."""
    name = next((name for name in names if name.rpartition("/")[2] == "account.js"), "")
    if not name:
        return ""
    try:
        with zipfile.ZipFile(file).open(name) as member:
            match = _ACCOUNT.search(member.read(1 << 20))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return ""
    return match[1].decode() if match else ""


def archived_posts(head: bytes) -> int:
    """How many bytes stand before the list of posts in a file of X's personal archive; 0 for any other file."""
    match = _POSTS.match(head)
    return match.end() if match else 0


def without_prefix(pieces: Pieces, size: int) -> Pieces:
    """The pieces without their first bytes."""
    for piece in pieces:
        if isinstance(piece, Damage) or not size:
            yield piece
            continue
        yield piece[size:]
        size = max(size - len(piece), 0)


def _zip_pieces(file: BinaryIO, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Pieces:
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        file.seek(entry.header_offset)
        header = file.read(30)
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(entry.header_offset + 30 + lengths)
        yield from _inflated(_Window(file, entry.compress_size), entry)
        return
    try:
        with archive.open(entry) as member:
            while data := member.read(_CHUNK):
                yield data
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        yield Damage(f"{entry.filename} cannot be read: {error}", entry.header_offset)


class _Window:
    """A part of a file, read in order; other readers may move the file meanwhile."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._at = file.tell()
        self._left = size

    def read(self, size: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data


def _inflated(window: _Window, entry: zipfile.ZipInfo) -> Pieces:
    decoder = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    checksum = 0
    while not decoder.eof:
        data = window.read(1 << 16)
        if not data:
            yield Damage(f"{entry.filename} is cut off within the zip archive", entry.header_offset)
            return
        while data:
            before = decoder.copy()
            try:
                output = decoder.decompress(data, 1 << 20)
            except zlib.error as error:
                saved = _saved(before, data)
                if saved:
                    yield saved
                yield Damage(f"{entry.filename} is damaged within the zip archive: {error}", entry.header_offset)
                return
            checksum = zlib.crc32(output, checksum)
            if output:
                yield output
            data = decoder.unconsumed_tail
    if entry.CRC and checksum != entry.CRC:
        yield Damage(
            f"{entry.filename} is damaged within the zip archive: its checksum differs", entry.header_offset, torn=False
        )


def _saved(decoder: "zlib._Decompress", data: bytes) -> bytes:
    saved = bytearray()
    for at in range(len(data)):
        try:
            saved += decoder.decompress(data[at : at + 1])
        except zlib.error:
            break
    return bytes(saved)


def _without_directory(file: BinaryIO) -> Members:
    """The files that local headers announce, in their order."""
    file.seek(0)
    reader = PieceReader(pieces_of(file))
    while reader.find(_LOCAL):
        header = reader.take(30)
        if len(header) < 30:
            return
        method = int.from_bytes(header[8:10], "little")
        size = int.from_bytes(header[18:22], "little")
        name = reader.take(int.from_bytes(header[26:28], "little")).decode(errors="replace")
        reader.take(int.from_bytes(header[28:30], "little"))
        if name.endswith("/"):
            continue
        if method == zipfile.ZIP_DEFLATED:
            yield Member(name, _inflated_from(reader, name))
        elif method == zipfile.ZIP_STORED and size:
            body = _Body(reader, size, f"the zip archive is cut off within {name}")
            yield Member(name, body.pieces())
            body.finish()
        else:
            yield Damage(f"{name} cannot be read without the zip archive's directory", reader.offset, torn=False)


def _inflated_from(reader: PieceReader, name: str) -> Pieces:
    decoder = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    while not decoder.eof:
        data = reader.take(1 << 16)
        if not data:
            yield Damage(f"the zip archive is cut off within {name}", reader.offset)
            return
        while data:
            before = decoder.copy()
            try:
                output = decoder.decompress(data, 1 << 20)
            except zlib.error as error:
                if saved := _saved(before, data):
                    yield saved
                yield Damage(f"{name} is damaged within the zip archive: {error}", reader.offset)
                return
            if output:
                yield output
            data = decoder.unconsumed_tail
    reader.unread(decoder.unused_data)


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def is_warc(head: bytes) -> bool:
    """Whether a file begins with a WARC record (ISO 28500)."""
    return head.startswith((b"WARC/0.", b"WARC/1."))


def warc_members(pieces: Pieces, ignore: Callable[[str], None]) -> Members:
    """The bodies of the HTTP responses of a WARC; `ignore` is called with the type of every other record."""
    reader = PieceReader(pieces)
    while not reader.at_end:
        start = reader.offset
        if (damage := reader.clear_damage()) is not None:
            yield damage
            continue
        if reader.peek(2) in (b"\r\n", b"\n\n") or reader.peek(1) == b"\n":
            reader.take(1)
            continue
        headers = _headers(reader)
        if headers is None or "content-length" not in headers:
            yield Damage("the WARC is damaged: no record begins here", start, torn=False)
            reader.take(1)
            reader.find(b"WARC/1.")
            continue
        length = int(headers["content-length"]) if headers["content-length"].isdigit() else 0
        kind = headers.get("warc-type", "").lower()
        uri = headers.get("warc-target-uri", "").strip("<>")
        body = _Body(reader, length, f"the WARC record of {uri or 'an unnamed page'} is cut off")
        if kind == "response":
            yield Member(uri, _http_body(body.pieces()))
        elif kind == "resource":
            yield Member(uri, body.pieces())
        else:
            ignore(f"warc_{kind or 'record'}")
        body.finish()


def _headers(reader: PieceReader, most: int = 1 << 16) -> dict[str, str] | None:
    """The lines up to an empty one: a first line, then names and values; None where they do not end."""
    for size in (1 << 10, 1 << 13, most):
        head = reader.peek(size)
        for end in (b"\r\n\r\n", b"\n\n"):
            at = head.find(end)
            if at >= 0:
                lines = reader.take(at + len(end)).decode(errors="replace").splitlines()
                pairs = (line.partition(":") for line in lines[1:])
                return {name.strip().lower(): value.strip() for name, _, value in pairs}
        if len(head) < size:
            return None
    return None


def _http_body(pieces: Pieces) -> Pieces:
    """The body of an HTTP response: without its headers, chunks put together, gzip undone."""
    from postrank.sources.files.containers.compression import compression, decompressed

    reader = PieceReader(pieces)
    headers = _headers(reader) if reader.peek(5) == b"HTTP/" else {}
    if headers is None:
        yield reader.clear_damage() or Damage("the headers of an HTTP response do not end", reader.offset)
        return
    chunked = headers.get("transfer-encoding", "").lower() == "chunked" and _looks_chunked(reader)
    body = _chunks(reader) if chunked else _rest(reader)
    if headers.get("content-encoding", "") in ("gzip", "x-gzip"):
        inner = PieceReader(body)
        kind = compression(inner.peek(4))
        body = decompressed(_rest(inner), kind) if kind != "none" else _rest(inner)
    yield from body


def _looks_chunked(reader: PieceReader) -> bool:
    """Whether chunks are still there: many programs keep the header and put them together."""
    size, newline, _ = reader.peek(18).partition(b"\r\n")
    try:
        return bool(newline) and int(size.partition(b";")[0], 16) >= 0
    except ValueError:
        return False


def _chunks(reader: PieceReader) -> Pieces:
    while True:
        line = bytearray()
        while not line.endswith(b"\n") and (byte := reader.take(1)):
            line += byte
        try:
            left = int(line.partition(b";")[0].strip() or b"0", 16)
        except ValueError:
            yield Damage("a chunk of an HTTP response has no size", reader.offset)
            return
        if left == 0:
            if (damage := reader.clear_damage()) is not None:
                yield damage
            return
        while left > 0:
            data = reader.take(min(left, _CHUNK))
            if not data:
                yield reader.clear_damage() or Damage("a chunk of an HTTP response is cut off", reader.offset)
                return
            left -= len(data)
            yield data
        reader.take(2)


def _rest(reader: PieceReader) -> Pieces:
    while not reader.at_end:
        if (damage := reader.clear_damage()) is not None:
            yield damage
        elif data := reader.take_some():
            yield data
