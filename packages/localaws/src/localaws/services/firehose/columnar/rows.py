"""The rows of a spooled object: its records read as JSON by the schema of a table, and those that do not fit it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from localaws.core.shapes import Document, Json, Structure
from localaws.services.firehose.columnar.hive_types import ColumnType, Unfit, column_type, structure
from localaws.services.firehose.records.framing import Framed, frames


@dataclass(slots=True)
class Rows:
    """Rows in the order of their records, and the records that are none, with the reason."""

    schema: pa.Schema
    rows: list[dict[str, Json]] = field(default_factory=list)
    failed: list[tuple[Framed, str]] = field(default_factory=list)

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows, schema=self.schema)


@dataclass(frozen=True, slots=True)
class JsonReader:
    """The deserializer of a delivery stream: OpenXJsonSerDe with its options, or HiveJsonSerDe."""

    dots_to_underscores: bool = False
    mappings: Mapping[str, str] = field(default_factory=dict)  # column -> key of the JSON

    def renamed(self, document: Mapping[str, Json]) -> Mapping[str, Json]:
        """A record's object under the names of columns."""
        if self.dots_to_underscores:
            document = {name.replace(".", "_"): value for name, value in document.items()}
        keys = {key: column for column, key in self.mappings.items()}
        return {keys.get(name, name): value for name, value in document.items()} if keys else document


def json_reader(deserializer: Structure) -> JsonReader:
    """The reader that `Deserializer` of a configuration describes."""
    options = deserializer.get("OpenXJsonSerDe") or {}
    return JsonReader(
        dots_to_underscores=bool(options.get("ConvertDotsInJsonKeysToUnderscores")),
        mappings=dict(options.get("ColumnToJsonKeyMappings") or {}),
    )


def read_rows(spooled: Path, types: Mapping[str, ColumnType], reader: JsonReader) -> Rows:
    """Read a framed object. A record holds one JSON object, or several one after the other; all or none become rows."""
    rows = Rows(pa.schema([(name, kind.arrow) for name, kind in types.items()]))
    for frame in frames(spooled):
        try:
            rows.rows.extend([structure(types, reader.renamed(document)) for document in _documents(frame.data)])
        except ValueError as error:
            kind = "" if isinstance(error, Unfit) else "The record is not valid JSON: "
            rows.failed.append((frame, f"{kind}{error}"))
    return rows


def types_of(columns: list[Document]) -> dict[str, ColumnType]:
    """The types of Glue columns by lower-case name. Raises InvalidSchema."""
    return {str(column["Name"]).lower(): column_type(str(column.get("Type") or "string")) for column in columns}


def _documents(data: bytes) -> Iterator[Mapping[str, Json]]:
    """Raises ValueError."""
    text = data.decode().strip()
    decoder = json.JSONDecoder()
    while text:
        value, end = decoder.raw_decode(text)
        if not isinstance(value, dict):
            raise Unfit("a record must be a JSON object")
        yield value
        text = text[end:].lstrip()
