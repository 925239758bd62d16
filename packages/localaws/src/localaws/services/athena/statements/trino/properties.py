"""The WITH (...) of CREATE TABLE AS and UNLOAD, and what each property is to Trino's connectors."""

from collections.abc import Mapping
from dataclasses import dataclass

from localaws.services.athena.sql.failures import QueryFailed
from localaws.services.athena.sql.trino.types import identifier
from localaws.services.athena.statements.token_reader import Reader

Value = str | int | bool | list[str]
_HIVE = {
    "format", "write_compression", "external_location", "partitioned_by", "bucketed_by", "bucket_count",
    "field_delimiter", "parquet_compression", "orc_compression", "compression_level", "compression", "table_type",
    "is_external",
}  # fmt: skip
_ICEBERG = {
    "format", "write_compression", "location", "partitioning", "table_type", "is_external", "compression_level",
    "vacuum_min_snapshots_to_keep", "vacuum_max_snapshot_age_seconds", "vacuum_max_metadata_files_to_keep",
    "write_target_data_file_size_bytes", "optimize_rewrite_delete_file_threshold",
    "optimize_rewrite_data_file_threshold", "format_version",
}  # fmt: skip
_FORMATS = ("ORC", "PARQUET", "AVRO", "JSON", "TEXTFILE")
_CODECS = {"NONE", "SNAPPY", "LZ4", "ZSTD", "GZIP"}
_USUAL_CODECS = {"ORC": "GZIP", "PARQUET": "GZIP", "AVRO": "GZIP", "JSON": "GZIP", "TEXTFILE": "GZIP"}
_ALIASES = {"ZLIB": "GZIP", "DEFLATE": "GZIP", "UNCOMPRESSED": "NONE"}


def read(reader: Reader) -> dict[str, Value]:
    """(name = value, ...) after WITH. Raises SyntaxRefused."""
    properties: dict[str, Value] = {}
    reader.expect("(")
    while True:
        name = reader.next().text.lower()
        reader.expect("=")
        properties[name] = _value(reader)
        if reader.take(")"):
            return properties
        reader.expect(",")


def _value(reader: Reader) -> Value:
    if reader.take("ARRAY"):
        reader.expect("[")
        items: list[str] = []
        while not reader.take("]"):
            items.append(reader.text())
            reader.take(",")
        return items
    for word, value in (("TRUE", True), ("FALSE", False)):
        if reader.take(word):
            return value
    text = reader.value()
    return int(text) if text.isdigit() else text


@dataclass(frozen=True, slots=True)
class TableProperties:
    """What a CTAS or UNLOAD says of its files. Raises QueryFailed for what Athena refuses."""

    properties: Mapping[str, Value]

    def __post_init__(self) -> None:
        unknown = set(self.properties) - (_ICEBERG if self.is_iceberg else _HIVE)
        if unknown:
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY", f"Table properties [{', '.join(sorted(unknown))}] are not supported."
            )
        if self.format not in _FORMATS:
            raise QueryFailed("INVALID_TABLE_PROPERTY", f"Unsupported format: {self.format}")
        if self._codec not in _CODECS:
            raise QueryFailed("INVALID_TABLE_PROPERTY", f"Unsupported compression: {self._codec}")

    @property
    def is_iceberg(self) -> bool:
        return str(self.properties.get("table_type") or "HIVE").upper() == "ICEBERG"

    @property
    def format(self) -> str:
        name = str(self.properties.get("format") or "PARQUET").upper()
        return "TEXTFILE" if name == "TEXT" else name

    @property
    def partitioned_by(self) -> list[str]:
        return [key.lower() for key in self._list("partitioned_by")]

    @property
    def _codec(self) -> str:
        names = ("write_compression", "compression", "parquet_compression", "orc_compression")
        named = next((str(self.properties[name]).upper() for name in names if self.properties.get(name)), "")
        usual = "ZSTD" if self.is_iceberg else _USUAL_CODECS.get(self.format, "GZIP")
        return _ALIASES.get(named, named) or usual

    def session(self, catalog: str) -> dict[str, str]:
        """Session properties of the statement."""
        return {f"{catalog}.compression_codec": self._codec}

    def hive(self, location: str) -> str:
        """WITH (...) for the Hive connector."""
        parts = [f"external_location = {literal(location)}", f"format = {literal(self.format)}"]
        if keys := self.partitioned_by:
            parts.append(f"partitioned_by = {array(keys)}")
        if buckets := self._list("bucketed_by"):
            parts.append(f"bucketed_by = {array([name.lower() for name in buckets])}")
            parts.append(f"bucket_count = {int(str(self.properties.get('bucket_count') or 1))}")
        if self.format == "TEXTFILE" and "field_delimiter" in self.properties:
            parts.append(f"textfile_field_separator = {literal(str(self.properties['field_delimiter']))}")
        return f"WITH ({', '.join(parts)})"

    def iceberg(self, location: str) -> str:
        """WITH (...) for the Iceberg connector."""
        parts = [f"location = {literal(location.rstrip('/'))}", f"format = {literal(self.format)}"]
        if transforms := self._list("partitioning"):
            parts.append(f"partitioning = {array(transforms)}")
        return f"WITH ({', '.join(parts)})"

    def _list(self, name: str) -> list[str]:
        value = self.properties.get(name) or []
        return value if isinstance(value, list) else [str(value)]


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


def array(items: list[str]) -> str:
    return f"ARRAY[{', '.join(map(literal, items))}]"


def qualified(*parts: str) -> str:
    """A quoted name of several parts."""
    return ".".join(map(identifier, parts))
