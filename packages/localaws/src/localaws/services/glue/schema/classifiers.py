"""Classifying files: format, compression and columns, from the beginning of each.

"Built-in classifiers" (Glue developer guide) states the order and what a CSV file and its header are.
"""

import bz2
import csv
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import zstandard

from localaws.core.shapes import Document
from localaws.services.glue.schema import column_types
from localaws.services.glue.schema.column_types import Type

_SAMPLE = 1 << 20  # bytes that are read of a file, as they are after decompression
_DELIMITERS = (",", "|", "\t", ";", "\x01")
_HEADER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]*\Z")
_HEADER_CHARACTERS = 150
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """What a file is: `format` is json, csv or parquet. `settings` are the format's own: delimiter, header."""

    format: str
    compression: str
    columns: dict[str, Type]
    settings: dict[str, str] = field(default_factory=dict)

    def like(self, other: "Schema", share: float) -> bool:
        """Whether both are of one form, with at least that share of their columns in common."""
        if (self.format, self.compression, self.settings) != (other.format, other.compression, other.settings):
            return False
        most = max(len(self.columns), len(other.columns), 1)
        return len(self.columns.keys() & other.columns.keys()) / most >= share

    def merged(self, other: "Schema") -> "Schema":
        """The schema that holds the rows of both."""
        return Schema(
            format=self.format,
            compression=self.compression,
            settings=self.settings,
            columns=column_types.merged_columns(self.columns, other.columns),
        )


def classify(path: Path) -> Schema | None:
    """The schema of a file, or None when no classifier knows it."""
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return _parquet(path)
    compression = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "none")
    try:
        sample, whole = _sample(path, compression)
        text = sample.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, zstandard.ZstdError, UnicodeDecodeError):
        return None
    return _json(text, compression, whole) or _csv(text.splitlines(), compression)


def _sample(path: Path, compression: str) -> tuple[bytes, bool]:
    """Whole lines from the beginning of a file, and whether they are all of it."""
    sample = bytearray()
    for chunk in _decompressed(path, compression):
        sample += chunk
        if len(sample) >= _SAMPLE:
            cut = sample.rfind(b"\n")
            return bytes(sample[: cut + 1]), False
    return bytes(sample), True


def _decompressed(path: Path, compression: str) -> Iterator[bytes]:
    with path.open("rb") as file:
        if compression == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
                yield from iter(lambda: reader.read(1 << 16), b"")
            return
        make: Callable[[], Any] | None = {"gzip": lambda: zlib.decompressobj(31), "bzip2": bz2.BZ2Decompressor}.get(
            compression
        )
        machine = make() if make else None
        for chunk in iter(lambda: file.read(1 << 16), b""):
            rest = chunk
            while machine is not None and make is not None and rest:
                yield machine.decompress(rest)
                rest = machine.unused_data if machine.eof else b""
                machine = make() if machine.eof else machine  # the next member of a file of several
            if machine is None:
                yield chunk


def _json(text: str, compression: str, whole: bool) -> Schema | None:
    if not text.lstrip().startswith("{"):
        return None
    records = _records(text.splitlines()) or (_records([text]) if whole else None)
    if not records:
        return None
    columns: dict[str, Type] = {}
    for record in records:
        columns = column_types.merged_columns(columns, column_types.columns(record))
    return Schema(format="json", compression=compression, columns=columns)


def _records(texts: list[str]) -> list[Document] | None:
    """The objects that the texts are, or None where one is no object."""
    try:
        records = [orjson.loads(text) for text in texts if text.strip()]
    except orjson.JSONDecodeError:
        return None
    return records if all(isinstance(record, dict) for record in records) else None


def _csv(lines: list[str], compression: str) -> Schema | None:
    """As the CSV classifier has it: at least two columns and two rows, as many columns in each row."""
    for delimiter in _DELIMITERS:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        width = len(rows[0]) if rows else 0
        if width < 2 or len(rows) < 2 or any(len(row) != width for row in rows):
            continue
        header = _is_header(rows)
        names = [name.strip().lower() for name in rows[0]] if header else [f"col{place}" for place in range(width)]
        data = rows[1:] if header else rows
        columns = {name: _column(row[place] for row in data) for place, name in enumerate(names)}
        settings = {"delimiter": delimiter, **({"skip.header.line.count": "1"} if header else {})}
        return Schema(format="csv", compression=compression, columns=columns, settings=settings)
    return None


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names columns: all of it is text, short and a name, and the data is not all text."""
    first = rows[0]
    named = all(_HEADER_NAME.match(cell.strip()) and len(cell) < _HEADER_CHARACTERS for cell in first[:-1])
    if not named or len(set(first)) != len(first) or _numbers(first):
        return False
    return any(_numbers(row) for row in rows[1:])


def _numbers(row: list[str]) -> bool:
    return any(_scalar(cell) not in (None, "string") for cell in row)


def _column(values: Iterator[str]) -> Type:
    column: Type = None
    for value in values:
        column = column_types.merged(column, _scalar(value))
    return column


def _scalar(text: str) -> Type:
    text = text.strip()
    if not text:
        return None
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return "bigint"
    return "double" if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else "string"


def _parquet(path: Path) -> Schema | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return None
    return Schema(
        format="parquet", compression="none", columns={column.name.lower(): _arrow(column.type) for column in schema}
    )


def _arrow(kind: Any) -> Type:
    import pyarrow.types as arrow

    if arrow.is_struct(kind):
        return column_types.Struct({child.name.lower(): _arrow(child.type) for child in kind})
    if arrow.is_list(kind) or arrow.is_large_list(kind):
        return column_types.Array(_arrow(kind.value_type))
    if arrow.is_map(kind):
        return f"map<{column_types.hive(_arrow(kind.key_type))},{column_types.hive(_arrow(kind.item_type))}>"
    if arrow.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    mapping = (
        (arrow.is_boolean, "boolean"), (arrow.is_int64, "bigint"), (arrow.is_uint64, "bigint"),
        (arrow.is_uint32, "bigint"), (arrow.is_integer, "int"), (arrow.is_float64, "double"),
        (arrow.is_floating, "float"), (arrow.is_timestamp, "timestamp"), (arrow.is_date, "date"),
        (arrow.is_binary, "binary"),
    )  # fmt: skip
    return next((name for test, name in mapping if test(kind)), "string")
