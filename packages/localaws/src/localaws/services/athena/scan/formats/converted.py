"""Objects that the engine cannot read as a SerDe does: decoded here, and given to the engine as Parquet files."""

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from localaws.core.cloud import ObjectInfo
from localaws.services.athena.scan.formats import Files, compression, identifier, quoted
from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.hive_types import HiveType

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 20_000  # rows of a row group
Decode = Callable[[Iterable[str], str], Iterable[list[object]]]  # lines and the object's name -> rows


def relation(files: Files, decode: Decode) -> str:
    """A SELECT of the columns of the decoded lines, and the file's number as file_index."""
    import pyarrow as pa

    schema = pa.schema([(name, _arrow(kind)) for name, kind in files.columns.items()])
    paths = [_convert(item, number, files, schema, decode) for number, item in enumerate(files.objects)]
    return _selected(files, paths)


def _selected(files: Files, paths: Iterable[Path]) -> str:
    listed = ", ".join(quoted(str(path)) for path in paths)
    chosen = "".join(f"{identifier(name)}, " for name in files.columns)
    return f"select {chosen}file_index from read_parquet([{listed}])"  # noqa: S608


def of_tables(files: Files, read: "Callable[[ObjectInfo, pa.Schema], Iterable[pa.Table]]") -> str:
    """A SELECT of the columns, and the file's number as file_index; `read` gives an object's rows as the columns."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, _arrow(kind)) for name, kind in files.columns.items()])
    paths = []
    for number, item in enumerate(files.objects):
        path = files.scratch / f"scan-{files.scan}-{files.group}-{number}.parquet"
        with parquet.ParquetWriter(path, schema) as writer:
            for table in read(item, schema):
                writer.write_table(table)
        paths.append(path)
    return _selected(files, paths)


def _convert(item: ObjectInfo, number: int, files: Files, schema: "pa.Schema", decode: Decode) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    path = files.scratch / f"scan-{files.scan}-{files.group}-{number}.parquet"
    try:
        with parquet.ParquetWriter(path, schema) as writer, lines(item) as stream:
            rows = iter(decode(stream, item.key))
            while chunk := list(islice(rows, _CHUNK)):
                columns = list(zip(*chunk, strict=True))
                arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    except (EOFError, OSError, zlib.error) as error:
        raise QueryFailed("HIVE_CURSOR_ERROR", f"Failed to read file {item.key}: {error}") from error
    return path


def _arrow(kind: HiveType) -> "pa.DataType":
    import pyarrow as pa

    match kind.name:
        case "array":
            return pa.list_(_arrow(kind.children[0]))
        case "map":
            return pa.map_(_arrow(kind.children[0]), _arrow(kind.children[1]))
        case "struct":
            return pa.struct([(name, _arrow(child)) for name, child in zip(kind.fields, kind.children, strict=True)])
        case "decimal":
            precision, scale = (*kind.size, 0)[:2] if kind.size else (10, 0)
            return pa.decimal128(precision, scale)
    kinds: dict[str, pa.DataType] = {
        "string": pa.string(), "varchar": pa.string(), "char": pa.string(), "boolean": pa.bool_(),
        "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "integer": pa.int32(), "bigint": pa.int64(),
        "float": pa.float32(), "double": pa.float64(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
        "binary": pa.binary(),
    }  # fmt: skip
    return kinds[kind.name]


class lines:  # noqa: N801 - used like a function
    """The lines of an object, unpacked; without their ends."""

    def __init__(self, item: ObjectInfo) -> None:
        self._file = unpacked(item)

    def __enter__(self) -> Iterator[str]:
        text = io.TextIOWrapper(self._file, encoding="utf-8", errors="replace", newline="\n")
        return (line.rstrip("\n").removesuffix("\r") for line in text)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def unpacked(item: ObjectInfo) -> BinaryIO:
    """An object's bytes, by its extension as Hadoop decides it. Raises QueryFailed NOT_SUPPORTED."""
    match compression(item.key):
        case "gzip":
            return cast("BinaryIO", gzip.open(item.path, "rb"))
        case "bz2":
            return cast("BinaryIO", bz2.open(item.path, "rb"))
        case "zstd":
            import zstandard

            return cast("BinaryIO", io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(item.path.open("rb"))))
        case "deflate":
            return io.BytesIO(zlib.decompress(item.path.read_bytes()))
        case "snappy" | "lz4" as codec:
            return io.BytesIO(_blocks(item.path.read_bytes(), codec))
    return item.path.open("rb")


def _blocks(packed: bytes, codec: str) -> bytes:
    """Hadoop's blocks: the length of what a block holds, then chunks, each after its own length."""
    import pyarrow as pa

    out = bytearray()
    at = 0
    while at < len(packed):
        size = int.from_bytes(packed[at : at + 4], "big")
        at += 4
        end = len(out) + size
        while len(out) < end:
            length = int.from_bytes(packed[at : at + 4], "big")
            chunk = packed[at + 4 : at + 4 + length]
            if codec == "snappy":
                out += unsnapped(chunk)
            else:
                out += pa.decompress(chunk, end - len(out), codec="lz4_raw", asbytes=True)
            at += 4 + length
    return bytes(out)


def unsnapped(chunk: bytes) -> bytes:
    """What a chunk of snappy holds; it begins with its length."""
    import pyarrow as pa

    size = 0
    for place, byte in enumerate(chunk[:5]):
        size |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            break
    return bytes(pa.decompress(chunk, size, codec="snappy", asbytes=True))
