"""Rows written to a table's folder: one engine COPY into scratch, then each file moved in as an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

from localaws.services.athena.execution.session import Session
from localaws.services.athena.scan.formats import identifier, quoted
from localaws.services.athena.scan.plan import Plan
from localaws.services.athena.scan.storage import Place
from localaws.services.athena.sql.failures import QueryFailed, not_supported
from localaws.services.athena.sql.trino import hive_types

PARTITION_LIMIT = 100  # "Considerations and limitations for CTAS queries"
_HIVE = "org.apache.hadoop.hive"
_CODECS = {
    "PARQUET": {
        "GZIP": "gzip",
        "SNAPPY": "snappy",
        "ZSTD": "zstd",
        "NONE": "uncompressed",
        "UNCOMPRESSED": "uncompressed",
    },
    "JSON": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
    "TEXTFILE": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "none"},
}
_EXTENSIONS = {"gzip": ".gz", "zstd": ".zst", "none": ""}


@dataclass(slots=True)
class Written:
    """Rows, object addresses, and the folder of each partition that got rows."""

    rows: int
    objects: list[str] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How files are written. `name` is PARQUET, JSON or TEXTFILE."""

    name: str = "PARQUET"
    compression: str = "GZIP"
    delimiter: str = "\x01"

    def __post_init__(self) -> None:
        if self.name in ("ORC", "AVRO", "RCFILE", "RCTEXT", "ICEBERG"):
            raise not_supported(f"Writing {self.name}")
        if self.name not in _CODECS:
            raise QueryFailed("INVALID_TABLE_PROPERTY", f"Unsupported format: {self.name}")
        if self.compression not in _CODECS[self.name]:
            raise not_supported(f"{self.compression} compression of {self.name}")

    @property
    def extension(self) -> str:
        return "" if self.name == "PARQUET" else _EXTENSIONS[_CODECS[self.name][self.compression]]

    def options(self) -> str:
        codec = _CODECS[self.name][self.compression]
        if self.name == "PARQUET":
            return f"format parquet, compression '{codec}'"
        if self.name == "JSON":
            return f"format json, compression '{codec}'"
        return (
            f"format csv, header false, delimiter {quoted(self.delimiter)}, quote '', escape '', nullstr '\\N',"
            f" compression '{codec}'"
        )

    def descriptor(self) -> dict[str, object]:
        """Glue's formats and SerDe for what is written."""
        if self.name == "PARQUET":
            return {
                "InputFormat": f"{_HIVE}.ql.io.parquet.MapredParquetInputFormat",
                "OutputFormat": f"{_HIVE}.ql.io.parquet.MapredParquetOutputFormat",
                "SerdeInfo": {
                    "SerializationLibrary": f"{_HIVE}.ql.io.parquet.serde.ParquetHiveSerDe",
                    "Parameters": {"serialization.format": "1"},
                },
            }
        library = "org.apache.hive.hcatalog.data.JsonSerDe"
        parameters = {"serialization.format": "1"}
        if self.name == "TEXTFILE":
            library = f"{_HIVE}.serde2.lazy.LazySimpleSerDe"
            parameters = {"field.delim": self.delimiter, "serialization.format": self.delimiter}
        return {
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": f"{_HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": library, "Parameters": parameters},
        }


def write(
    session: Session,
    sql: str,
    types: Mapping[str, str],
    *,
    keys: Sequence[str],
    form: Format,
    folder: Place,
    existing: Mapping[tuple[str, ...], str] | None = None,
) -> Written:
    """Write the rows of an engine query as columns of `types` (engine's names), in folders by `keys`.

    `known` are folders that existing partitions have; a new one lies below `folder`. Raises QueryFailed for too many.
    """
    scratch = session.scratch / "written"
    columns = ", ".join(
        f"cast(#{number} as {kind}) as {identifier(name)}" for number, (name, kind) in enumerate(types.items(), start=1)
    )
    options = form.options()
    if keys:
        options += f", partition_by ({', '.join(identifier(key) for key in keys)})"
        target = scratch
    else:
        scratch.mkdir(parents=True)
        target = scratch / "rows"
    copied = session.cursor.execute(
        f"copy (select {columns} from ({sql})) to {quoted(str(target))} ({options})"  # noqa: S608
    ).fetchone()
    rows = int(copied[0])
    written = Written(rows)
    if rows:
        _move(session, scratch, written, keys, form, folder, existing or {})
    return written


def _move(
    session: Session,
    scratch: Path,
    written: Written,
    keys: Sequence[str],
    form: Format,
    folder: Place,
    existing: Mapping[tuple[str, ...], str],
) -> None:
    files = sorted(path for path in scratch.rglob("*") if path.is_file())
    if keys:
        for values in {_values(path, scratch) for path in files}:
            below = "/".join(f"{key}={escaped(value)}" for key, value in zip(keys, values, strict=True))
            written.partitions[values] = existing.get(values) or folder.below(below + "/").uri
        if len(written.partitions) > PARTITION_LIMIT:
            raise QueryFailed(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {PARTITION_LIMIT} open writers for partitions/buckets",
            )
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    for path in files:
        home = _place(written.partitions[_values(path, scratch)]) if keys else folder
        target = home.below(f"{stamp}_{len(written.objects):05d}_{session.id[:5]}_{uuid4()}{form.extension}")
        session.storage.put(target, path)
        written.objects.append(target.uri)


def _place(uri: str) -> Place:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return Place(bucket, key)


def _values(path: Path, root: Path) -> tuple[str, ...]:
    return tuple(unquote(part.partition("=")[2]) for part in path.relative_to(root).parts[:-1])


def escaped(value: str) -> str:
    """A partition value as Hive writes it in a path: what a path could misread as %XX."""
    return "".join(f"%{ord(sign):02X}" if sign in "\"#%'*/:=?\\\x7f{[]^" or ord(sign) < 32 else sign for sign in value)


def settled_types(plan: Plan) -> dict[str, str]:
    """Engine types as which a query's columns are written. Raises QueryFailed for names that a table cannot have."""
    types: dict[str, str] = {}
    for number, (name, kind) in enumerate(plan.columns, start=1):
        lower = name.lower()
        if lower.startswith("_col") and lower[4:].isdigit():
            raise QueryFailed("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {number}")
        if lower in types:
            raise QueryFailed("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{lower}' specified more than once")
        if kind.name == "unknown":
            raise QueryFailed("COLUMN_TYPE_UNKNOWN", f"line 1:1: Column type is unknown: {lower}")
        if kind.name == "timestamp with time zone":
            raise QueryFailed("NOT_SUPPORTED", f"Unsupported Hive type: {kind} (column {lower})")
        hive_types.hive_name(kind)
        types[lower] = hive_types.stored(kind)
    return types
