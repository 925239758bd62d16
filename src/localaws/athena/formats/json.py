"""JSON lines, as the OpenX and Hive JSON SerDes read them ("JSON SerDe libraries")."""

from localaws.athena.failures import QueryFailed
from localaws.athena.formats import Files, identifier, paths, quoted

SERDES = (
    "org.openx.data.jsonserde.JsonSerDe",
    "org.apache.hive.hcatalog.data.JsonSerDe",
    "com.amazon.ionhiveserde.IonHiveSerDe",
)[:2]
_COMPRESSION = {".gz": "gzip", ".zst": "zstd"}


def compression(key: str) -> str:
    """DuckDB's name of the codec that an object's extension stands for, as Hadoop decides it."""
    for extension, codec in _COMPRESSION.items():
        if key.endswith(extension):
            return codec
    if key.endswith((".bz2", ".snappy", ".lzo", ".deflate", ".lz4")):
        raise QueryFailed("NOT_SUPPORTED", f"The compression of {key} is not supported by the local engine")
    return "none"


def relation(files: Files) -> str:
    """A SELECT of the columns, and the file's number as file_index."""
    names = {name: _key(files, name) for name in files.columns}
    columns = ", ".join(f"{quoted(names[name])}: {quoted(kind.duckdb)}" for name, kind in files.columns.items())
    ignore = files.properties.get("ignore.malformed.json", "").lower() == "true"
    chosen = "".join(f"{identifier(names[name])} as {identifier(name)}, " for name in files.columns)
    return (
        f"select {chosen}file_index from read_json({paths(files)}, columns = {{{columns}}},"  # noqa: S608
        f" format = 'newline_delimited', compression = '{compression(files.objects[0].key)}'"
        f"{', ignore_errors = true' if ignore else ''})"
    )


def _key(files: Files, column: str) -> str:
    """The JSON key of a column: its own name, unless the table maps another onto it."""
    return files.properties.get(f"mapping.{column}", column)
