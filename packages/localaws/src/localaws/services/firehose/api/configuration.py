"""Destination configurations: checked, completed with AWS's defaults, shown again by DescribeDeliveryStream.

Source of the rules: "ExtendedS3DestinationConfiguration", "BufferingHints", "DynamicPartitioningConfiguration" (API
reference) and "Partitioning streaming data" (Data Firehose).
"""

import zoneinfo
from collections.abc import Mapping
from typing import Any

from localaws.core.cloud import AwsError
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.records.processing import Pipeline
from localaws.services.firehose.streams.model import Destination

_COMPRESSIONS = ("UNCOMPRESSED", "GZIP", "ZIP")
_DYNAMIC_MIN_MIB = 64  # "Partitioning streaming data": the buffer is at least 64 MiB


def destination(given: Mapping[str, Any]) -> Destination:
    """The destination that a configuration describes. Raises AwsError InvalidArgumentException for a wrong one."""
    _refuse_unsupported(given)
    dynamic = bool((given.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))
    size, interval = _hints(given.get("BufferingHints") or {}, dynamic=dynamic)
    processing = given.get("ProcessingConfiguration") or {}
    made = Destination(
        role=given["RoleARN"],
        bucket=given["BucketARN"].partition(":::")[2],
        prefix=given.get("Prefix"),
        error_prefix=given.get("ErrorOutputPrefix"),
        size_mib=size,
        interval=interval,
        compression=given.get("CompressionFormat") or "UNCOMPRESSED",
        extension=given.get("FileExtension") or None,
        time_zone=given.get("CustomTimeZone") or "UTC",
        dynamic=dynamic,
        retry_seconds=_retry_seconds(given),
        processors=list(processing.get("Processors") or []) if processing.get("Enabled") else [],
    )
    _check(made)
    made.shown = _shown(given, made)
    return made


def merged(old: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateDestination leaves: members that are absent from the update keep their values."""
    hints = {**(old.get("BufferingHints") or {}), **(update.get("BufferingHints") or {})}
    return {**old, **update, "BufferingHints": hints}


def _check(made: Destination) -> None:
    prefix.complete(made.prefix, made.error_prefix, dynamic=made.dynamic)
    try:
        zoneinfo.ZoneInfo(made.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise _invalid(f"CustomTimeZone {made.time_zone} is not a supported time zone.") from error
    keys = prefix.values(made.prefix or "", "partitionKeyFromQuery")
    if keys and not made.dynamic:
        raise _invalid("Prefix has partitionKeyFromQuery expressions, but dynamic partitioning is not enabled.")
    if made.dynamic and not (made.prefix and made.error_prefix):
        raise _invalid("Dynamic partitioning needs both Prefix and ErrorOutputPrefix.")
    pipeline = Pipeline(made.processors)
    if made.dynamic and not pipeline.keys:
        raise _invalid("Dynamic partitioning needs a MetadataExtraction processor.")
    if missing := sorted(set(keys) - set(pipeline.keys)):
        raise _invalid(f"Prefix asks for partition keys that MetadataExtractionQuery does not give: {missing}.")
    if made.dynamic and (unused := sorted(set(pipeline.keys) - set(keys))):
        raise _invalid(f"MetadataExtractionQuery gives partition keys that Prefix does not use: {unused}.")


def _hints(hints: Mapping[str, Any], *, dynamic: bool) -> tuple[int, int]:
    """Size in MiB and interval in seconds."""
    size, interval = hints.get("SizeInMBs"), hints.get("IntervalInSeconds")
    if (size is None) != (interval is None):
        raise _invalid("BufferingHints: if you give one of SizeInMBs and IntervalInSeconds, you must give both.")
    size = (_DYNAMIC_MIN_MIB if dynamic else 5) if size is None else size
    interval = 300 if interval is None else interval
    if dynamic and size < _DYNAMIC_MIN_MIB:
        raise _invalid(f"BufferingHints.SizeInMBs must be at least {_DYNAMIC_MIN_MIB} with dynamic partitioning.")
    return size, interval


def _retry_seconds(given: Mapping[str, Any]) -> int:
    options = (given.get("DynamicPartitioningConfiguration") or {}).get("RetryOptions") or {}
    seconds = options.get("DurationInSeconds")
    return 300 if seconds is None else int(seconds)


def _refuse_unsupported(given: Mapping[str, Any]) -> None:
    compression = given.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in _COMPRESSIONS:
        raise _invalid(f"CompressionFormat {compression} is not supported locally; {', '.join(_COMPRESSIONS)} are.")
    if (given.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        raise _invalid("DataFormatConversionConfiguration is not supported locally.")
    if given.get("S3BackupMode") == "Enabled":
        raise _invalid("S3BackupMode Enabled is not supported locally.")


def _shown(given: Mapping[str, Any], made: Destination) -> dict[str, Any]:
    return {
        **{name: value for name, value in given.items() if value is not None},
        "BufferingHints": {"SizeInMBs": made.size_mib, "IntervalInSeconds": made.interval},
        "CompressionFormat": made.compression,
        "EncryptionConfiguration": given.get("EncryptionConfiguration") or {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": given.get("CloudWatchLoggingOptions") or {"Enabled": False},
        "S3BackupMode": "Disabled",
        "ProcessingConfiguration": given.get("ProcessingConfiguration") or {"Enabled": False, "Processors": []},
        "DataFormatConversionConfiguration": {"Enabled": False},
        "CustomTimeZone": made.time_zone,
    }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
