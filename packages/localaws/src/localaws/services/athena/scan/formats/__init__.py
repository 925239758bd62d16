"""How the objects of a table become rows: one module a file format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.core.cloud import ObjectInfo
from localaws.core.shapes import Structure
from localaws.services.athena.sql.failures import not_supported
from localaws.services.athena.sql.trino.hive_types import HiveType


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Objects of one format and compression, and what the catalogue says of them."""

    objects: Sequence[ObjectInfo]
    columns: Mapping[str, HiveType]
    serde: Structure  # Glue's SerdeInfo
    parameters: Mapping[str, str]  # the table's
    scan: int  # the scan's number within the statement
    group: int = 0  # the number of these files among those of the scan
    scratch: Path = Path()  # the statement's folder for files of its own

    @property
    def properties(self) -> Mapping[str, str]:
        return self.serde.get("Parameters") or {}


_COMPRESSION = {
    ".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".deflate": "deflate", ".snappy": "snappy", ".lz4": "lz4",
}  # fmt: skip
READ_BY_ENGINE = ("none", "gzip", "zstd")


def compression(key: str) -> str:
    """The codec that an object's extension stands for, as Hadoop decides it. Raises QueryFailed NOT_SUPPORTED."""
    for extension, codec in _COMPRESSION.items():
        if key.endswith(extension):
            return codec
    if key.endswith(".lzo"):
        raise not_supported(f"The compression of {key}")
    return "none"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def paths(files: Files) -> str:
    """The files as a DuckDB list. A bracket in a path would be read as a pattern."""
    for item in files.objects:
        if any(sign in str(item.path) for sign in "*?["):
            raise not_supported(f"A stored path with a pattern sign ({item.key})")
    return "[" + ", ".join(quoted(str(item.path)) for item in files.objects) + "]"
