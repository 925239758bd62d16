"""The tables of the lake as Glue wants them, read from `tables.json` (which Terraform reads too)."""

import json
from importlib.resources import files

from postrank.aws.resources import Resources
from postrank.documents import Document

_JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_STORAGE: dict[str, Document] = {
    "json": {
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {"SerializationLibrary": _JSON_SERDE, "Parameters": {"ignore.malformed.json": "true"}},
    },
    "parquet": {
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    },
}


def names() -> tuple[str, ...]:
    """Every table of the lake, as the catalogue calls it."""
    return tuple(_described())


def columns(table: str) -> list[tuple[str, str]]:
    """A table's columns with their Hive types, without its partition keys."""
    return [(name, hive) for name, hive in _described()[table]["columns"]]


def prefix(table: str, resources: Resources) -> str:
    """Where a table's data lies: `s3://bucket/prefix/`."""
    described = _described()[table]
    return f"s3://{resources.buckets[described['bucket']]}/{described['prefix']}"


def table_input(table: str, resources: Resources) -> Document:
    """The `TableInput` of glue:CreateTable (AWS Glue API, "TableInput structure")."""
    described = _described()[table]
    storage = _STORAGE[described["format"]]
    projection = _document()["projection"] if described.get("projected") else {}
    return {
        "Name": table,
        "Description": described["description"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": described["format"], **projection},
        "PartitionKeys": _columns(described["partition_keys"]),
        "StorageDescriptor": {
            **storage,
            "Columns": _columns(described["columns"]),
            "Location": prefix(table, resources),
        },
    }


def glue_tables(resources: Resources) -> list[Document]:
    """The `TableInput` of every table."""
    return [table_input(table, resources) for table in names()]


def _described() -> Document:
    tables: Document = _document()["tables"]
    return tables


def _document() -> Document:
    document: Document = json.loads(files("postrank.aws").joinpath("tables.json").read_text(encoding="utf-8"))
    return document


def _columns(columns: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": hive_type} for name, hive_type in columns]
