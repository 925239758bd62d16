"""Avro container files ("Avro specification"), their fields found by name; a file that lacks one gives nulls."""

import bz2
import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from localaws.core.cloud import ObjectInfo
from localaws.core.shapes import Structure
from localaws.services.athena.scan.formats import Files, converted
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.hive_types import HiveType

if TYPE_CHECKING:
    import pyarrow as pa

SERDES = ("org.apache.hadoop.hive.serde2.avro.AvroSerDe",)
_MAGIC = b"Obj\x01"
_SYNC = 16  # bytes of the mark after each block
_CHUNK = 20_000
_UNITS = {"timestamp-millis": 1000, "timestamp-micros": 1}  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Schema: TypeAlias = "str | Sequence[Schema] | Structure"
Cell: TypeAlias = object


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    kinds = list(files.columns.values())

    def tables(item: ObjectInfo, schema: "pa.Schema") -> Iterator["pa.Table"]:
        import pyarrow as pa

        try:
            with item.path.open("rb") as file:
                rows = ({name.lower(): cell for name, cell in row.items()} for row in records(file))
                while chunk := list(islice(rows, _CHUNK)):
                    columns = [
                        pa.array([_shaped(row.get(column.name), kind) for row in chunk], column.type)
                        for column, kind in zip(schema, kinds, strict=True)
                    ]
                    yield pa.Table.from_arrays(columns, schema=schema)
        except (ValueError, KeyError, IndexError, EOFError, struct.error, zlib.error, pa.ArrowException) as error:
            raise QueryFailed("HIVE_BAD_DATA", f"{item.key} cannot be read as the table's columns: {error}") from error

    return converted.of_tables(files, tables)


def _shaped(cell: object, kind: HiveType) -> object:
    """A cell as the column's type has it: numbers as text where the column is text, members by the column's names."""
    if cell is None:
        return None
    if isinstance(cell, dict) and kind.name == "map":
        return [(key, _shaped(item, kind.children[1])) for key, item in cell.items()]
    if isinstance(cell, dict) and kind.name == "struct":
        members = {key.lower(): item for key, item in cell.items()}
        return {
            name: _shaped(members.get(name.lower()), child)
            for name, child in zip(kind.fields, kind.children, strict=True)
        }
    if isinstance(cell, list) and kind.name == "array":
        return [_shaped(item, kind.children[0]) for item in cell]
    if kind.name == "string" and not isinstance(cell, str):
        return cell.decode() if isinstance(cell, bytes) else str(cell)
    return cell


def records(file: BinaryIO) -> Iterator[dict[str, Cell]]:
    """The records of a file, as its own schema describes them. Raises ValueError for what is no Avro."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("it is no Avro container file")
    metadata = _header(file)
    schema = json.loads(metadata["avro.schema"])
    unpack = _CODECS[metadata.get("avro.codec", b"null").decode()]
    file.read(_SYNC)
    while (count := _long_of(file)) is not None:
        block = unpack(file.read(_long_of(file) or 0))
        file.read(_SYNC)
        reader = _Reader(block)
        reader.define(schema)
        for _ in range(count):
            yield reader.record(schema)


def _header(file: BinaryIO) -> dict[str, bytes]:
    metadata = {}
    while count := _long_of(file):
        if count < 0:
            _long_of(file)
        for _ in range(abs(count)):
            name = file.read(_long_of(file) or 0).decode()
            metadata[name] = file.read(_long_of(file) or 0)
    return metadata


def _long_of(file: BinaryIO) -> int | None:
    shift = 0
    number = 0
    while byte := file.read(1):
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            return (number >> 1) ^ -(number & 1)
    return None


def _snappy(block: bytes) -> bytes:
    """A block of snappy, which a checksum follows."""
    return converted.unsnapped(block[:-4])


def _zstandard(block: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj().decompress(block)


_CODECS: Mapping[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": lambda block: zlib.decompress(block, -15),
    "bzip2": bz2.decompress,
    "snappy": _snappy,
    "zstandard": _zstandard,
}


@dataclass(slots=True)
class _Reader:
    """Values read one after the other. `names` has the schemas that were defined before."""

    block: bytes
    at: int = 0
    names: dict[str, Structure] = field(default_factory=dict)

    def record(self, schema: Structure) -> dict[str, Cell]:
        """The members of a record by their names."""
        return {member["name"]: self.value(member["type"]) for member in schema["fields"]}

    def value(self, schema: Schema) -> Cell:
        if isinstance(schema, str):
            return _PRIMITIVES[schema](self) if schema in _PRIMITIVES else self.value(self.names[schema])
        if isinstance(schema, Sequence):
            return self.value(schema[self.long()])
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.value(kind)
        if "name" in schema:
            self.define(schema)
        return _logical(self._typed(kind, schema), schema)

    def define(self, schema: Structure) -> None:
        """Know a schema by its name, with and without its namespace."""
        self.names[schema["name"]] = schema
        if schema.get("namespace"):
            self.names[f"{schema['namespace']}.{schema['name']}"] = schema

    def _typed(self, kind: str, schema: Structure) -> Cell:
        match kind:
            case "record":
                return self.record(schema)
            case "array":
                return [self.value(schema["items"]) for _ in self._items()]
            case "map":
                return {self._text(): self.value(schema["values"]) for _ in self._items()}
            case "enum":
                return schema["symbols"][self.long()]
            case "fixed":
                return self.bytes_of(schema["size"])
        return self.value(kind)

    def _items(self) -> Iterator[int]:
        """A step for each item of the blocks of an array or map."""
        while count := self.long():
            if count < 0:
                self.long()  # the block's size
            yield from range(abs(count))

    def _text(self) -> str:
        return self.bytes_of(self.long()).decode()

    def long(self) -> int:
        """A whole number of any length, its sign in the last bit."""
        shift = 0
        number = 0
        while True:
            byte = self.block[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return (number >> 1) ^ -(number & 1)

    def bytes_of(self, size: int) -> bytes:
        """So many bytes. Raises EOFError."""
        if self.at + size > len(self.block):
            raise EOFError("a block ends within a value")
        self.at += size
        return self.block[self.at - size : self.at]


_PRIMITIVES: Mapping[str, Callable[[_Reader], Cell]] = {
    "null": lambda _: None,
    "boolean": lambda reader: reader.bytes_of(1) == b"\x01",
    "int": _Reader.long,
    "long": _Reader.long,
    "float": lambda reader: struct.unpack("<f", reader.bytes_of(4))[0],
    "double": lambda reader: struct.unpack("<d", reader.bytes_of(8))[0],
    "bytes": lambda reader: reader.bytes_of(reader.long()),
    "string": lambda reader: reader.bytes_of(reader.long()).decode(),
}


def _logical(cell: Cell, schema: Structure) -> Cell:
    kind = schema.get("logicalType")
    if isinstance(cell, int) and kind == "date":
        return date(1970, 1, 1) + timedelta(days=cell)
    if isinstance(cell, int) and kind in _UNITS:
        return (_EPOCH + timedelta(microseconds=cell * _UNITS[kind])).replace(tzinfo=None)
    if isinstance(cell, bytes) and kind == "decimal":
        return Decimal(int.from_bytes(cell, "big", signed=True)).scaleb(-int(schema.get("scale", 0)))
    return cell
