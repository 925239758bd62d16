"""One file from its first byte to its last event: containers opened, encodings undone, documents recognised and read.

A position is a number of bytes of the documents, as they are when nothing is left to undo; rows of Parquet count as one
byte each. Reading from a position gives what lies behind it.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from postrank.posts import Malformed, Post
from postrank.posts.formats.json_repair import is_json
from postrank.posts.formats.mapping import RowReader, value_at
from postrank.posts.repairs import Repairs
from postrank.sources.files.containers import archives
from postrank.sources.files.containers.compression import compression, decompressed
from postrank.sources.files.containers.encodings import as_utf8, encoding
from postrank.sources.files.containers.pieces import HEAD, Damage, Pieces, peek, pieces_of
from postrank.sources.files.detection import Shape, shape_of, unread
from postrank.sources.files.json_lines import LineReader
from postrank.sources.files.json_values import JsonValues, Lost, Value
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch
from postrank.sources.files.parquet import MAGIC as PARQUET
from postrank.sources.files.parquet import read_parquet, shape_of_parquet
from postrank.sources.files.tables import read_rows

EXPANSION = 250  # times that a file may grow when it is decompressed, once it has grown to _HARMLESS
_HARMLESS = 64 << 20
_DEPTH = 5  # containers within one another
_SPOOLED = 64 << 20  # bytes of an archive within an archive that are held in memory
_LONG_HEAD = 2 << 20  # bytes that are looked at where the first line is longer than the head
_BATCH = 256  # values
_JUNK = ("__MACOSX/", "._")
_JUNK_NAMES = (".DS_Store", "Thumbs.db", "desktop.ini")
_TEXTS = (
    ".txt",
    ".md",
    ".html",
    ".pdf",
    ".css",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".mp4",
    ".csv.sha256",
    ".sha256",
    ".md5",
)


@dataclass(slots=True)
class Findings:
    """What a file turned out to be."""

    forms: list[str] = field(default_factory=list)
    containers: list[str] = field(default_factory=list)  # the outermost first
    encodings: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # why documents cannot be ranked

    def note(self, names: list[str], name: str) -> None:
        if name and name not in names:
            names.append(name)


@dataclass(slots=True)
class _Document:
    """Something that holds posts, or a reason why it holds none."""

    name: str
    pieces: Pieces
    damage: Damage | None = None
    why: str = ""
    file: BinaryIO | None = None  # of Parquet, which is read out of order
    seekable: BinaryIO | None = None  # a plain file, which can be read from anywhere
    ignored: str = ""


class FileReader:
    """Reads one file. `findings` says what it is, once the first position was given."""

    def __init__(
        self,
        path: Path,
        lines: LineBatch,
        *,
        limit: int = LINE_LIMIT,
        mapping: Mapping[str, str] | None = None,
        expansion: float = EXPANSION,
        each: bool = False,
    ) -> None:
        """`limit`: bytes of one line or object; `each`: a position after every event rather than after many."""
        self.findings = Findings()
        self._path = path
        self._lines = lines
        self._limit = limit
        self._mapping = mapping or {}
        self._expansion = expansion
        self._each = each
        self._taken = 0  # bytes of the file that were read
        self._identity = ""
        self._account = ""  # of a personal archive of X

    def read(self, after: int = 0) -> Iterator[int]:
        """Add everything behind a position to the lines; yields positions on the way. Raises OSError, MissingExtra."""
        where = self._lines.where
        with self._path.open("rb") as file:
            base = 0
            for document in self._documents(self._path.name, self._metered(file), file, 0):
                inner = max(after - base, 0)
                self._lines.where = where if document.name == self._path.name else f"{where}:{document.name}"
                position = 0
                for position in self._read_document(document, inner):
                    if position > inner or not inner:
                        yield base + position
                base += position + 1
            self._lines.where = where

    def _metered(self, file: BinaryIO) -> Pieces:
        for piece in pieces_of(file):
            self._taken += len(piece) if isinstance(piece, bytes) else 0
            yield piece

    def _documents(self, name: str, pieces: Pieces, file: BinaryIO | None, depth: int) -> Iterator[_Document]:
        """The documents within some bytes; `file` where they are those of a file that can be read out of order."""
        head, pieces, _ = peek(pieces)
        if not self._identity:
            self._identity = sha256(head[:4096]).hexdigest()[:16]
        if depth > _DEPTH:
            yield _Document(name, iter(()), why=f"more than {_DEPTH} containers within one another: unpack it first")
        elif (kind := compression(head)) != "none":
            self.findings.note(self.findings.containers, kind)
            yield from self._documents(name, self._limited(decompressed(pieces, kind), kind), None, depth + 1)
        elif archives.is_tar(head):
            self.findings.note(self.findings.containers, "tar")
            yield from self._members(name, archives.tar_members(pieces), depth)
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from self._zip(name, pieces, file, depth)
        elif archives.is_warc(head):
            self.findings.note(self.findings.containers, "WARC")
            yield from self._members(name, archives.warc_members(pieces, self._lines.ignore), depth)
        elif head.startswith(PARQUET):
            self.findings.note(self.findings.containers, "Parquet")
            yield _Document(name, pieces, file=file or _spooled(pieces))
        elif why := unread(head):
            yield _Document(name, iter(()), why=why)
        else:
            yield _Document(name, pieces, seekable=file)

    def _members(self, name: str, members: archives.Members, depth: int) -> Iterator[_Document]:
        for member in members:
            if isinstance(member, Damage):
                yield _Document(name, iter(()), damage=member)
                continue
            last = PurePosixPath(member.name).name
            if last in _JUNK_NAMES or last.startswith(_JUNK[1]) or member.name.startswith(_JUNK[0]):
                yield _Document(member.name, iter(()), ignored="archive_metadata")
            elif last.lower().endswith(_TEXTS):
                yield _Document(member.name, iter(()), ignored="archive_document")
            else:
                yield from self._documents(member.name, member.pieces, None, depth + 1)

    def _zip(self, name: str, pieces: Pieces, file: BinaryIO | None, depth: int) -> Iterator[_Document]:
        self.findings.note(self.findings.containers, "zip")
        archive = file or _spooled(pieces)
        names = archives.zip_names(archive)
        if "[Content_Types].xml" in names:
            yield _Document(name, iter(()), why="an Office document (such as .xlsx), which is not read: save it as CSV")
            return
        self._account = archives.account_of(archive, names)
        yield from self._members(name, archives.zip_members(archive), depth)

    def _limited(self, pieces: Pieces, kind: str) -> Pieces:
        """Pieces until they are far too many for the file that they come from."""
        expanded = 0
        for piece in pieces:
            yield piece
            expanded += len(piece) if isinstance(piece, bytes) else 0
            if expanded > _HARMLESS and expanded > self._expansion * self._taken:
                yield Damage(
                    f"the {kind} data expands more than {self._expansion:g} times, as bombs do: raise `max_expansion` "
                    "if it is to be read",
                    self._taken,
                )
                return

    def _read_document(self, document: _Document, after: int) -> Iterator[int]:
        if document.ignored:
            if not after:
                self._lines.ignore(document.ignored)
            yield 1
        elif document.damage is not None:
            if not after:
                self._lines.reject(str(document.damage), b"", 0, at_least=True)
            yield 1
        elif document.why:
            yield from self._refuse(document.why, after)
        elif document.file is not None:
            shape = shape_of_parquet(document.file, self._mapping)
            self.findings.note(self.findings.forms, shape.form)
            if shape.framing == "refused":
                yield from self._refuse(shape.why, after)
                return
            self.findings.note(self.findings.encodings, "utf-8")
            yield from read_parquet(document.file, self._lines, shape, self._identity, after)
        else:
            yield from self._read_text(document, after)

    def _refuse(self, why: str, after: int) -> Iterator[int]:
        """A document that cannot be ranked is one reject, whatever it holds."""
        self.findings.refused.append(why)
        if not after:
            self._lines.reject(why, b"", 0, at_least=True)
        yield 1

    def _read_text(self, document: _Document, after: int) -> Iterator[int]:
        head, pieces, _ = peek(document.pieces)
        name = encoding(head)
        self.findings.note(self.findings.encodings, name.removesuffix("-sig"))
        if name == "utf-8" and document.seekable is not None and after:
            if b"\n" not in head:
                head, pieces, _ = peek(pieces, _LONG_HEAD)
            shape = shape_of(head, complete=len(head) < HEAD, mapping=self._mapping)
            if shape.framing == "lines":
                document.seekable.seek(after)
                self.findings.note(self.findings.forms, shape.form)
                yield from self._read_lines(pieces_of(document.seekable), shape, after, after)
                return
        head, pieces, complete = peek(as_utf8(pieces, name))
        if not complete and b"\n" not in head:
            head, pieces, complete = peek(pieces, _LONG_HEAD)
        shape = shape_of(head, complete=complete, mapping=self._mapping)
        if self._account and shape.form == "X's personal archive" and (posts := archives.archived_posts(head)):
            self.findings.note(self.findings.forms, f"X's personal archive, account {self._account}")
            yield from self._read_archive(archives.without_prefix(pieces, posts), after)
            return
        self.findings.note(self.findings.forms, shape.form)
        if shape.framing == "refused":
            yield from self._refuse(shape.why, after)
        elif shape.framing == "lines":
            yield from self._read_lines(pieces, shape, 0, after)
        elif shape.framing == "values":
            yield from self._read_values(pieces, shape, after)
        elif shape.framing == "rows":
            yield from read_rows(pieces, self._lines, shape, self._identity, after, each=self._each)

    def _read_lines(self, pieces: Pieces, shape: Shape, offset: int, after: int) -> Iterator[int]:
        lines = self._mapped(shape)
        return LineReader(lines, self._limit, offset, after, each=self._each).read(pieces)

    def _mapped(self, shape: Shape) -> LineBatch:
        if shape.columns is None:
            self._lines.parse = None
        else:
            self._lines.parse = MappedObjects(RowReader(shape.columns, self._identity)).parse
        return self._lines

    def _read_values(self, pieces: Pieces, shape: Shape, after: int) -> Iterator[int]:
        lines = self._mapped(shape)
        splitter = JsonValues(self._limit)
        number = 0
        for reading in splitter.read(pieces):
            if isinstance(reading, Damage):
                lines.reject(str(reading), b"", reading.offset, at_least=True)
                continue
            if reading.offset < after:
                continue
            if isinstance(reading, Lost):
                lines.reject(reading.reason, reading.data, reading.offset, at_least=True)
            elif is_json(reading.data) or not (parts := splitter.salvage(reading)):
                lines.add(reading.data, reading.offset)
            else:
                for part in parts:
                    if isinstance(part, Value):
                        lines.add(part.data, part.offset)
                    else:
                        lines.reject(part.reason, part.data, part.offset, at_least=True)
            number += 1
            if self._each or number % _BATCH == 0:
                yield reading.offset + len(reading.data)

    def _read_archive(self, pieces: Pieces, after: int) -> Iterator[int]:
        """The posts of an account's own archive, which is their author."""
        account = self._account

        def own(message: object) -> object:
            tweet = message.get("tweet") if isinstance(message, dict) else None
            return {**tweet, "user": {"id_str": account}} if isinstance(tweet, dict) else message

        self._lines.adapt = own
        try:
            yield from self._read_values(pieces, Shape("values", "X's personal archive"), after)
        finally:
            self._lines.adapt = None


class MappedObjects:
    """Objects as posts, by a mapping that a person gave."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader

    def parse(self, message: object, offset: int, repairs: Repairs) -> Post:
        """An object as a post. Raises Malformed."""
        if not isinstance(message, dict):
            raise Malformed("not an object")
        return self._reader.post([value_at(message, path) for path in self._reader.columns], offset, repairs)


def _spooled(pieces: Pieces) -> BinaryIO:
    """Bytes that are to be read out of order, on disk when they are many."""
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115 closed when nobody holds it any more
    for piece in pieces:
        if isinstance(piece, bytes):
            spool.write(piece)
    spool.seek(0)
    return cast(BinaryIO, spool)
