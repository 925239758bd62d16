"""What a document is, from its first kilobytes: the framing of its values, and the name of their shape.

A document that cannot be ranked gets one sentence: what it is, why it cannot be ranked, and what to do.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import orjson

from postrank.posts.events import Malformed
from postrank.posts.formats import mapping as mappings
from postrank.posts.formats.access_log import APACHE
from postrank.posts.formats.json_repair import decoded_values
from postrank.posts.formats.mapping import Columns
from postrank.posts.formats.recognise import form_of
from postrank.posts.repairs import Repairs
from postrank.sources.files.json_values import LIST_WITHIN, JsonValues, Value

Framing = Literal["lines", "values", "rows", "archive", "nothing", "refused"]
_ROWS_AHEAD = 20
_ARCHIVE = re.compile(rb"\s*(?:window|module|exports|self)\.(YTD\.(\w+)\.part\d+)\s*=\s*")
_ACCESS = re.compile(APACHE)
# First bytes of what is not read: what it is, and what to do.
_UNREAD: tuple[tuple[bytes, str, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first, with `7z x`"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first, with `unrar x`"),
    (b"\x04\x22\x4d\x18", "LZ4 data", "decompress it first, with `lz4 -d`"),
    (b"\x1f\x9d", "data of compress(1)", "decompress it first, with `uncompress`"),
    (b"\xff\x06\x00\x00sNaPpY", "Snappy data", "decompress it first"),
    (b"LZIP", "lzip data", "decompress it first, with `lzip -d`"),
    (b"\x5d\x00\x00", "data of the old LZMA format", "decompress it first, with `xz -d`"),
    (b"ARROW1", "an Arrow file", "write it as Parquet, or as JSON lines"),
    (b"ORC", "an ORC file", "write it as Parquet, or as JSON lines"),
    (b"Obj\x01", "an Avro file", "write it as Parquet, or as JSON lines"),
    (b"SQLite format 3\0", "an SQLite database", "export its table of posts as CSV"),
    (b"\x89HDF", "an HDF5 file", "write it as Parquet, or as JSON lines"),
    (b"%PDF", "a PDF document", "give the data that it was made from"),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "save it as CSV"),
    (b"\x80\x04\x95", "a Python pickle", "write it as Parquet, or as JSON lines: loading a pickle runs code"),
    (b"\x80\x03", "a Python pickle", "write it as Parquet, or as JSON lines: loading a pickle runs code"),
    (b"RDX", "an R data file", "write it as CSV, or as JSON lines"),
    (b"\x89PNG", "a picture", "give the data that it was made from"),
    (b"\xff\xd8\xff", "a picture", "give the data that it was made from"),
    (b"GIF8", "a picture", "give the data that it was made from"),
    (b"\x7fELF", "a program", "give a file of posts"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a document is read. `why`: why it cannot be, if it cannot."""

    framing: Framing
    form: str
    why: str = ""
    columns: Columns | None = None
    names: tuple[str, ...] = ()
    delimiter: str = ","
    header: bool = True

    @property
    def table(self) -> Columns:
        """The columns of a table, which every shape with rows has."""
        if self.columns is None:
            raise ValueError(f"{self.form} has no columns")
        return self.columns


def unread(head: bytes) -> str:
    """Why a file that begins so is not read; "" where its first bytes do not say."""
    return next((f"{what}, which is not read: {do}" for start, what, do in _UNREAD if head.startswith(start)), "")


def shape_of(head: bytes, *, complete: bool, mapping: Mapping[str, str]) -> Shape:
    """The shape of a document that begins so (in UTF-8). Never raises; a wrong mapping is a reason."""
    stripped = head.lstrip(b" \t\r\n")
    if not stripped:
        return Shape("nothing", "an empty file" if complete else "blank lines")
    if match := _ARCHIVE.match(head):
        return _personal_archive(match)
    if stripped[:1] in b"{[\x1e":
        return _json(head, stripped, complete=complete, mapping=mapping)
    if why := _other_text(stripped):
        return Shape("refused", "no form that is read", why)
    return _table(stripped, mapping=mapping)


def _json(head: bytes, stripped: bytes, *, complete: bool, mapping: Mapping[str, str]) -> Shape:
    lines = head.split(b"\n") if complete else head.split(b"\n")[:-1]
    filled = [line for line in lines if line.strip()][:_ROWS_AHEAD]
    whole = [value for line in filled if line.lstrip()[:1] == b"{" and (value := _decoded(line)) is not None]
    single = len(filled) == 1 and complete
    if whole and stripped[:1] != b"[" and len(whole) * 2 >= len(filled):
        return _named("lines", whole, "one object" if single else "JSON lines", mapping)
    if stripped[:1] == b"[" and filled and len(filled) > 1 and all(_is_list(line) for line in filled[:2]):
        return _named("lines", _within(filled[:2]), "JSON arrays, one a line", mapping)
    values = _elements(head)
    if not values and (match := LIST_WITHIN.match(stripped)):
        values = _elements(b"[" + stripped[match.end() :])
    kind = "a JSON array" if stripped[:1] == b"[" else "JSON objects without newlines between them"
    if stripped[:1] == b"{" and b"\n" in stripped:
        kind = "pretty-printed JSON"
        if not values and len(filled) > 1:
            return Shape("lines", "JSON lines that are damaged")
    if stripped[:1] == b"[" and not values and complete and b"{" not in stripped:
        if b"".join(stripped.split()) == b"[]":
            return Shape("nothing", "an empty JSON array")
        return Shape("refused", "a JSON array", "a JSON array that holds no objects: give an array of posts")
    return _named("values", values, kind, mapping)


def _elements(head: bytes) -> list[object]:
    """The first values of a document that is not one of lines."""
    readings = JsonValues(len(head) + 1).read(iter([head]))
    values = (_decoded(reading.data) for reading in readings if isinstance(reading, Value))
    return list(islice((value for value in values if value is not None), _ROWS_AHEAD))


def _decoded(data: bytes) -> object:
    """The one value that some bytes are; None where they are none, or several."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            values = list(decoded_values(data, Repairs()))
        except Malformed:
            return None
    return values[0] if len(values) == 1 and data.rstrip()[-1:] != b"," else None


def _is_list(line: bytes) -> bool:
    return line.strip()[:1] == b"[" and type(_decoded(line)) is list


def _within(lines: list[bytes]) -> list[object]:
    values: list[object] = []
    for line in lines:
        value = _decoded(line)
        values += value if type(value) is list else []
    return values


def _named(framing: Framing, values: list[object], framed: str, mapping: Mapping[str, str]) -> Shape:
    if mapping:
        return _mapped_objects(framing, values, framed, mapping)
    names = list(dict.fromkeys(name for value in values if (name := form_of(value))))
    return Shape(framing, f"{' + '.join(names) or 'objects of no form that is known'}, {framed}")


def _mapped_objects(framing: Framing, values: list[object], framed: str, mapping: Mapping[str, str]) -> Shape:
    paths: dict[str, None] = {}
    for value in values:
        if type(value) is dict:
            paths.update(dict.fromkeys(mappings.paths_of(value)))
    try:
        columns = mappings.mapped(list(paths), mapping)
    except mappings.WrongMapping as error:
        return Shape("refused", f"objects, {framed}", str(error))
    return Shape(framing, f"objects with a mapping of its own, {framed}", columns=columns, names=tuple(paths))


def _personal_archive(match: "re.Match[bytes]") -> Shape:
    part = match[2].decode()
    if part in ("tweets", "tweet", "community_tweet", "note_tweet", "deleted_tweets"):
        return Shape(
            "refused",
            "X's personal archive",
            f"X's personal archive ({part}): its posts name no author, so they cannot be ranked. Give the archive's "
            "zip file, whose account.js names the author",
        )
    return Shape(
        "refused", "X's personal archive", f"X's personal archive ({part}), which holds no posts: give its zip file"
    )


def _other_text(stripped: bytes) -> str:
    line = stripped.partition(b"\n")[0][:4096].decode(errors="replace").strip("\r")
    if _ACCESS.match(line):
        return 'an access log: read it with the source `tail` and `format = "apache"` (docs/operations/sources.md)'
    if line.startswith(("<?xml", "<!DOCTYPE", "<html", "<")):
        return "XML or HTML, which is not read: give the data as JSON lines or CSV"
    if b"\0" in stripped[:1024]:
        return "binary data of no form that is read: give posts as JSON lines, CSV or Parquet"
    return ""


def _table(stripped: bytes, *, mapping: Mapping[str, str]) -> Shape:
    text = stripped.decode("utf-8", "replace")
    first = text.partition("\n")[0].strip("\r")
    if first.lower().startswith("sep="):
        text = text.partition("\n")[2]
        first = text.partition("\n")[0].strip("\r")
    delimiter = max(",\t;|", key=lambda candidate: (first.count(candidate), candidate == ","))
    names = _row(text, delimiter)
    numbers = [str(number) for number in range(1, len(names) + 1)]
    if mapping and all(column.isdecimal() for field, column in mapping.items() if field != "network"):
        return _mapped_table(numbers, mapping, delimiter, header=False)
    if mapping:
        return _mapped_table(names, mapping, delimiter, header=True)
    if columns := mappings.recognised(names):
        return Shape(
            "rows", f"{columns.form}, {_dialect(delimiter)}", columns=columns, names=tuple(names), delimiter=delimiter
        )
    if len(names) < 2 or not _is_table(text, delimiter, len(names)):
        return Shape(
            "refused",
            "text of no form that is known",
            f"text that begins with {first[:60]!r}, neither JSON nor a table: give posts as JSON lines, CSV or Parquet",
        )
    if any(name.strip().lstrip("-").isdecimal() or not name.strip() for name in names):
        why = (
            f"a table ({_dialect(delimiter)}) without a header; name the columns by their numbers, as in "
            f"`--map author_id=5 --map posted_at=3`. Its first row is: {', '.join(names)[:200]}"
        )
        return Shape("refused", f"a table, {_dialect(delimiter)}", why)
    return Shape(
        "refused",
        f"a table, {_dialect(delimiter)}",
        f"a table ({_dialect(delimiter)}): {mappings.without_columns(names)}",
    )


def _row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_table(text: str, delimiter: str, width: int) -> bool:
    """Whether the second row, if there is one, has as many columns as the first."""
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return True
    try:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        next(reader)
        return len(next(reader, [])) in (width, 0)
    except (csv.Error, StopIteration):
        return True


def _mapped_table(names: list[str], mapping: Mapping[str, str], delimiter: str, *, header: bool) -> Shape:
    try:
        columns = mappings.mapped(names, mapping)
    except mappings.WrongMapping as error:
        return Shape("refused", f"a table, {_dialect(delimiter)}", str(error))
    form = f"{columns.form}, {_dialect(delimiter)}"
    return Shape("rows", form, columns=columns, names=tuple(names), delimiter=delimiter, header=header)


def _dialect(delimiter: str) -> str:
    return {",": "CSV", "\t": "TSV"}.get(delimiter, f"CSV with {delimiter!r}")
