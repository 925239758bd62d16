"""JSON lines, as the OpenX and Hive JSON SerDes read them ("JSON SerDe libraries")."""

import io
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from localaws.core.cloud import ObjectInfo
from localaws.services.athena.scan.formats import (
    READ_BY_ENGINE,
    Files,
    compression,
    converted,
    identifier,
    paths,
    quoted,
)
from localaws.services.athena.scan.formats.json_lines import JsonLines
from localaws.services.athena.sql.trino.hive_types import HiveType

OPENX = "org.openx.data.jsonserde.JsonSerDe"
SERDES = (
    OPENX,
    "org.apache.hive.hcatalog.data.JsonSerDe",
    "org.apache.hadoop.hive.serde2.JsonSerDe",
)
_READ_WHOLE = 1 << 19  # stored bytes of a scan, or of one object
_LOOKED_INTO = 8  # objects of a larger scan
_LOOKED_AT = 1 << 16  # stored bytes of each
_LINES = 100
_MAPPING = "mapping."
Judge = Callable[[object, HiveType], bool]


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index.

    The engine reads lines whose keys and values are plainly those of the columns; all others are decoded here.
    """
    lines = _decoding(files)
    if not _is_plain(files, lines):
        return converted.relation(files, lines.rows)
    keys = {name: lines.mappings.get(name, name) for name in files.columns}
    spellings = _spellings(files)
    keys = {name: next(iter(spellings.get(key.lower(), ())), key) for name, key in keys.items()}
    columns = ", ".join(f"{quoted(key)}: {quoted(files.columns[name].duckdb)}" for name, key in keys.items())
    chosen = "".join(f"{identifier(key)} as {identifier(name)}, " for name, key in keys.items())
    codec = compression(files.objects[0].key)
    return (
        f"select {chosen}file_index from read_json({paths(files)}, columns = {{{columns}}},"  # noqa: S608
        f" format = 'newline_delimited', compression = '{'uncompressed' if codec == 'none' else codec}')"
    )


def _decoding(files: Files) -> JsonLines:
    properties = {key.lower(): value for key, value in files.properties.items()}
    is_openx = files.serde.get("SerializationLibrary") == OPENX
    mappings = {key[len(_MAPPING) :]: value for key, value in properties.items() if key.startswith(_MAPPING)}
    return JsonLines(
        files.columns,
        mappings if is_openx else {},
        is_case_insensitive=properties.get("case.insensitive", "true").lower() == "true" or not is_openx,
        has_dots=is_openx and properties.get("dots.in.keys", "").lower() == "true",
        is_strict=not is_openx,
        ignores_malformed=properties.get("ignore.malformed.json", "").lower() == "true",
    )


def _is_plain(files: Files, lines: JsonLines) -> bool:
    """Whether the engine's own reader gives the rows that the SerDe gives, as far as the objects were looked into."""
    if lines.has_dots or lines.ignores_malformed or not lines.is_case_insensitive:
        return False
    columns = {lines.mappings.get(name, name).lower(): kind for name, kind in files.columns.items()}
    if len(columns) < len(files.columns) or any(compression(item.key) not in READ_BY_ENGINE for item in files.objects):
        return False
    spellings: dict[str, str] = {}
    return all(
        _is_plain_line(line, columns, spellings) for item in _looked_into(files) for line in _complete_lines(item)
    )


def _is_plain_line(line: bytes, columns: Mapping[str, HiveType], spellings: dict[str, str]) -> bool:
    """`spellings` has each key as the lines before spell it, and takes those of this one."""
    try:
        row = json.loads(line)
    except ValueError:
        return False
    if not isinstance(row, dict):
        return False
    members = [(key, key.lower(), value) for key, value in row.items() if key.lower() in columns]
    return all(
        spellings.setdefault(lower, key) == key and _fits(value, columns[lower]) for key, lower, value in members
    )


def _fits(value: object, kind: HiveType) -> bool:
    """Whether the engine reads the value as the SerDe does."""
    judge = _JUDGES.get(kind.name)
    return value is None or (judge is not None and judge(value, kind))


def _fits_struct(value: object, kind: HiveType) -> bool:
    if not isinstance(value, dict):
        return False
    members = {key.lower(): key for key in value}
    return len(members) == len(value) and all(
        name not in members or (members[name] == name and _fits(value[name], child))
        for name, child in zip(kind.fields, kind.children, strict=True)
    )


def _fits_map(value: object, kind: HiveType) -> bool:
    is_text = kind.children[0].name == "string"
    return isinstance(value, dict) and is_text and all(_fits(item, kind.children[1]) for item in value.values())


def _integer_of(bits: int) -> Judge:
    return lambda value, _: (
        isinstance(value, int)
        and value is not True
        and value is not False
        and (-(1 << (bits - 1)) <= value < 1 << (bits - 1))
    )


def _text_like(pattern: str) -> Judge:
    return lambda value, _: isinstance(value, str) and re.fullmatch(pattern, value) is not None


_JUDGES: Mapping[str, Judge] = {
    "string": lambda value, _: isinstance(value, str),
    "boolean": lambda value, _: isinstance(value, bool),
    "tinyint": _integer_of(8),
    "smallint": _integer_of(16),
    "int": _integer_of(32),
    "integer": _integer_of(32),
    "bigint": _integer_of(64),
    "double": lambda value, _: isinstance(value, int | float) and not isinstance(value, bool),
    "float": lambda value, _: isinstance(value, int | float) and not isinstance(value, bool),
    "date": _text_like(r"\d{4}-\d\d-\d\d"),
    "timestamp": _text_like(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?"),
    "array": lambda value, kind: isinstance(value, list) and all(_fits(item, kind.children[0]) for item in value),
    "map": _fits_map,
    "struct": _fits_struct,
}


def _looked_into(files: Files) -> Sequence[ObjectInfo]:
    if sum(item.size for item in files.objects) <= _READ_WHOLE:
        return files.objects
    step = max(len(files.objects) // _LOOKED_INTO, 1)
    return files.objects[::step][:_LOOKED_INTO]


def _complete_lines(item: ObjectInfo) -> list[bytes]:
    """The lines at an object's beginning, without one that was cut off."""
    return list(_lines_of(str(item.path), item.size, item.key, item.modified.timestamp()))


@lru_cache(maxsize=64)
def _lines_of(path: str, size: int, key: str, _modified: float) -> tuple[bytes, ...]:
    is_whole = size <= _READ_WHOLE
    content = _beginning(Path(path), key, size if is_whole else _LOOKED_AT)
    lines = content.split(b"\n")
    if is_whole and lines and not lines[-1]:
        return tuple(lines[:-1])
    return tuple(lines if is_whole else lines[:-1][:_LINES])


def _spellings(files: Files) -> Mapping[str, set[str]]:
    spellings: dict[str, set[str]] = defaultdict(set)
    for item in _looked_into(files):
        for line in _complete_lines(item):
            for key in json.loads(line):
                spellings[key.lower()].add(key)
    return spellings


def _beginning(path: Path, key: str, size: int) -> bytes:
    with path.open("rb") as file:
        stored = file.read(size)
    codec = compression(key)
    if codec == "gzip":
        return _gunzipped(stored)
    if codec == "zstd":
        import zstandard

        try:
            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored), read_across_frames=True).read()
        except zstandard.ZstdError:
            return b""
    return stored


def _gunzipped(stored: bytes) -> bytes:
    """All members, as far as they go."""
    content = b""
    while stored:
        member = zlib.decompressobj(wbits=31)
        try:
            content += member.decompress(stored)
        except zlib.error:
            break
        stored = member.unused_data
    return content
