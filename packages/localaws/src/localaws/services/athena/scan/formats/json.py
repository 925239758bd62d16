"""JSON lines, as the OpenX and Hive JSON SerDes read them ("JSON SerDe libraries")."""

import io
import json
import zlib
from collections import defaultdict
from collections.abc import Mapping

from localaws.core.cloud import ObjectInfo
from localaws.services.athena.scan.formats import Files, compression, identifier, paths, quoted
from localaws.services.athena.sql.failures import not_supported

SERDES = ("org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe")
_LOOKED_INTO = 8  # objects of a scan
_LOOKED_AT = 1 << 16  # stored bytes of each


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    keys = _keys(files)
    columns = ", ".join(f"{quoted(key)}: {quoted(files.columns[name].duckdb)}" for name, key in keys.items())
    chosen = "".join(f"{identifier(key)} as {identifier(name)}, " for name, key in keys.items())
    ignore = files.properties.get("ignore.malformed.json", "").lower() == "true"
    codec = compression(files.objects[0].key)
    return (
        f"select {chosen}file_index from read_json({paths(files)}, columns = {{{columns}}},"  # noqa: S608
        f" format = 'newline_delimited', compression = '{'uncompressed' if codec == 'none' else codec}'"
        f"{', ignore_errors = true' if ignore else ''})"
    )


def _keys(files: Files) -> dict[str, str]:
    """The JSON key of each column: as mapped by the table, or its name in the spelling that the objects begin with.

    The SerDes compare keys without case; the engine does not, so that a look into some of the objects says what to ask
    for. Raises QueryFailed where more than one spelling is seen.
    """
    spellings = _spellings(files)
    keys = {}
    for name in files.columns:
        mapped = files.properties.get(f"mapping.{name}")
        seen = spellings.get(name, set())
        if not mapped and len(seen) > 1:
            raise not_supported(f"The JSON key {name} in several spellings ({', '.join(sorted(seen))})")
        keys[name] = mapped or next(iter(seen), name)
    return keys


def _spellings(files: Files) -> Mapping[str, set[str]]:
    step = max(len(files.objects) // _LOOKED_INTO, 1)
    spellings: dict[str, set[str]] = defaultdict(set)
    for item in files.objects[::step][:_LOOKED_INTO]:
        for line in _beginning(item).split(b"\n")[:100]:
            try:
                row = json.loads(line)
            except ValueError:  # cut off, or broken: the engine will say so
                continue
            for key in row if isinstance(row, dict) else ():
                spellings[key.lower()].add(key)
    return spellings


def _beginning(item: ObjectInfo) -> bytes:
    with item.path.open("rb") as file:
        stored = file.read(_LOOKED_AT)
    codec = compression(item.key)
    if codec == "gzip":
        try:
            return zlib.decompressobj(wbits=31).decompress(stored)
        except zlib.error:
            return b""
    if codec == "zstd":
        import zstandard

        try:
            return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(stored)).read(_LOOKED_AT)
        except zstandard.ZstdError:
            return b""
    return stored
