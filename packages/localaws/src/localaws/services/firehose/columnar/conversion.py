"""Objects in Parquet and ORC, by the schema of a Glue table.

Source of the rules: "Convert input data format", "Handling errors for data format conversion" (Data Firehose).
"""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.core.cloud import ACCOUNT, REGION, AwsError, Caller, Cloud
from localaws.core.shapes import Document, Json, Structure
from localaws.services.firehose.records.framing import Framed

ERROR_TYPE = "format-conversion-failed"
_PARQUET_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "UNCOMPRESSED": "none"}
_ORC_CODECS = {"SNAPPY": "snappy", "ZLIB": "zlib", "NONE": "uncompressed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """An object in its final format, if any record fits; and the records that do not, as lines of an error object."""

    path: Path | None
    rows: int
    failed: bytes
    failures: int


def checked(configuration: Structure) -> Document:
    """The conversion that a destination asks for; empty for none. Raises AwsError InvalidArgumentException."""
    if not configuration or configuration.get("Enabled") is False:
        return {}
    schema = configuration.get("SchemaConfiguration") or {}
    serializer = (configuration.get("OutputFormatConfiguration") or {}).get("Serializer") or {}
    deserializer = (configuration.get("InputFormatConfiguration") or {}).get("Deserializer") or {}
    for name in ("RoleARN", "DatabaseName", "TableName"):
        if not schema.get(name):
            raise _invalid(f"SchemaConfiguration.{name} is required if DataFormatConversionConfiguration is enabled.")
    if len(serializer.keys() & {"ParquetSerDe", "OrcSerDe"}) != 1:
        raise _invalid("OutputFormatConfiguration needs one Serializer: ParquetSerDe or OrcSerDe.")
    if len(deserializer.keys() & {"OpenXJsonSerDe", "HiveJsonSerDe"}) != 1:
        raise _invalid("InputFormatConfiguration needs one Deserializer: OpenXJsonSerDe or HiveJsonSerDe.")
    if (deserializer.get("HiveJsonSerDe") or {}).get("TimestampFormats"):
        raise _invalid("HiveJsonSerDe.TimestampFormats is not supported locally: use OpenXJsonSerDe.")
    return {"schema": dict(schema), "serializer": dict(serializer), "deserializer": dict(deserializer)}


def extension(conversion: Structure) -> str:
    """What the keys of converted objects end with."""
    return ".parquet" if "ParquetSerDe" in conversion["serializer"] else ".orc"


def convert(cloud: Cloud, caller: Caller, conversion: Structure, spooled: Path) -> Converted:
    """Convert a framed object into a file next to it. `caller` is the role of the schema.

    Raises AwsError for a table that cannot be read, or that has a column of no known type.
    """
    from localaws.services.firehose.columnar.rows import json_reader, read_rows, types_of  # pyarrow loads for long

    schema = conversion["schema"]
    table = _table(cloud, caller, schema)
    try:
        types = types_of(table["StorageDescriptor"]["Columns"])
    except ValueError as error:
        message = f"The schema of {schema['DatabaseName']}.{schema['TableName']} cannot be used: {error}"
        raise AwsError("DataFormatConversion.InvalidSchema", message) from error
    rows = read_rows(spooled, types, json_reader(conversion["deserializer"]))
    target = spooled.with_suffix(extension(conversion))
    if rows.rows:
        _write(rows.table(), conversion["serializer"], target)
    described = _described(schema, table)
    failed = error_lines(rows.failed, "DataFormatConversion.MalformedData", described)
    return Converted(path=target if rows.rows else None, rows=len(rows.rows), failed=failed, failures=len(rows.failed))


def _table(cloud: Cloud, caller: Caller, schema: Structure) -> Structure:
    names = {"DatabaseName": schema["DatabaseName"], "Name": schema["TableName"]}
    table: Structure = cloud.call("glue", "GetTable", names, caller)["Table"]
    return table


def _write(table: Json, serializer: Structure, target: Path) -> None:
    if "ParquetSerDe" in serializer:
        from pyarrow import parquet

        options = serializer["ParquetSerDe"] or {}
        parquet.write_table(
            table,
            target,
            compression=_PARQUET_CODECS[options.get("Compression") or "SNAPPY"],
            use_dictionary=bool(options.get("EnableDictionaryCompression")),
            data_page_version="2.0" if options.get("WriterVersion") == "V2" else "1.0",
            data_page_size=options.get("PageSizeBytes"),
            use_deprecated_int96_timestamps=True,  # as Hive's writer, which Firehose runs, stores timestamps
        )
        return
    from pyarrow import orc

    options = serializer["OrcSerDe"] or {}
    orc.write_table(table, target, compression=_ORC_CODECS[options.get("Compression") or "SNAPPY"])


def _described(schema: Structure, table: Structure) -> Document:
    return {
        "catalogId": schema.get("CatalogId") or ACCOUNT,
        "databaseName": schema["DatabaseName"],
        "tableName": schema["TableName"],
        "region": schema.get("Region") or REGION,
        "versionId": schema.get("VersionId") or str(table.get("VersionId") or "LATEST"),
        "catalogArn": f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog",
    }


def error_lines(failed: Sequence[tuple[Framed, str]], code: str, table: Mapping[str, Json] | None = None) -> bytes:
    """Records that do not fit, with the reasons, as lines of an error object."""
    return b"".join(_error_line(frame, code, reason, table) for frame, reason in failed)


def _error_line(frame: Framed, code: str, reason: str, table: Mapping[str, Json] | None) -> bytes:
    document: Document = {
        "attemptsMade": 1,
        "arrivalTimestamp": frame.arrived,
        "errorCode": code,
        "errorMessage": reason,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(frame.data).decode(),
        "sequenceNumber": frame.position,
        "subSequenceNumber": None,
    }
    if table is not None:
        document["dataCatalogTable"] = table
    return json.dumps(document).encode() + b"\n"


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
