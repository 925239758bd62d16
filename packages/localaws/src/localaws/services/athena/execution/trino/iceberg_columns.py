"""Columns of an Iceberg table in Glue as Athena registers them: each with its field of the current schema.

Clients tell current columns from former ones by these parameters ("iceberg.field.current"), which Trino does not write.
"""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

from localaws.core.cloud import AwsError, Cloud
from localaws.core.shapes import Document, Structure
from localaws.services.athena.scan.storage import place

_PACKED = b"\x1f\x8b"


def with_fields(cloud: Cloud, table: Document) -> Document:
    """A TableInput whose columns name their fields; as it is where it is no Iceberg table, or has no metadata file."""
    parameters: Structure = table.get("Parameters") or {}
    location = parameters.get("metadata_location")
    columns = (table.get("StorageDescriptor") or {}).get("Columns")
    if str(parameters.get("table_type")).upper() != "ICEBERG" or not location or not columns:
        return table
    target = place(str(location))
    try:
        item = cloud.objects.head(target.bucket, target.key)
    except AwsError:
        item = None
    if item is None:
        return table
    fields = _current_fields(item.path)
    described = [{**column, **_described(column, fields)} for column in columns]
    return {**table, "StorageDescriptor": {**table["StorageDescriptor"], "Columns": described}}


def _current_fields(file: Path) -> Mapping[str, Structure]:
    """Fields of the current schema by their names, lower case ("Iceberg Table Spec", table metadata)."""
    body = file.read_bytes()
    metadata = json.loads(gzip.decompress(body) if body.startswith(_PACKED) else body)
    schemas = metadata.get("schemas") or [metadata["schema"]]
    current = metadata.get("current-schema-id", 0)
    schema = next((schema for schema in schemas if schema.get("schema-id", 0) == current), schemas[-1])
    return {str(field["name"]).lower(): field for field in schema["fields"]}


def _described(column: Structure, fields: Mapping[str, Structure]) -> Document:
    field = fields.get(str(column["Name"]).lower())
    if field is None:
        return {}
    own = {
        "iceberg.field.current": "true",
        "iceberg.field.id": str(field["id"]),
        "iceberg.field.optional": str(not field.get("required", False)).lower(),
    }
    return {"Parameters": {**(column.get("Parameters") or {}), **own}}
