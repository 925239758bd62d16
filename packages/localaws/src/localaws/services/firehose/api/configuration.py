"""Destination configurations: checked, completed with AWS's defaults, shown again by DescribeDeliveryStream.

Source of the rules: "ExtendedS3DestinationConfiguration", "BufferingHints", "DynamicPartitioningConfiguration" (API
reference) and "Partitioning streaming data" (Data Firehose).
"""

import zoneinfo

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.records.processing import Pipeline
from localaws.services.firehose.streams.model import Destination

_COMPRESSIONS = ("UNCOMPRESSED", "GZIP", "ZIP")
_DYNAMIC_MIN_MIB = 64  # "Partitioning streaming data": the buffer is at least 64 MiB


def destination(config: Structure) -> Destination:
    """The destination that a configuration describes. Raises AwsError InvalidArgumentException for a wrong one."""
    _refuse_unsupported(config)
    dynamic = bool((config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))
    size, interval = _hints(config.get("BufferingHints") or {}, dynamic=dynamic)
    processing = config.get("ProcessingConfiguration") or {}
    parsed = Destination(
        role=config["RoleARN"],
        bucket=config["BucketARN"].partition(":::")[2],
        prefix=config.get("Prefix"),
        error_prefix=config.get("ErrorOutputPrefix"),
        size_mib=size,
        interval=interval,
        compression=config.get("CompressionFormat") or "UNCOMPRESSED",
        extension=config.get("FileExtension") or None,
        time_zone=config.get("CustomTimeZone") or "UTC",
        dynamic=dynamic,
        retry_seconds=_retry_seconds(config),
        processors=list(processing.get("Processors") or []) if processing.get("Enabled") else [],
    )
    _check(parsed)
    parsed.shown = _shown(config, parsed)
    return parsed


def merged(old: Structure, update: Structure) -> Document:
    """What UpdateDestination leaves: members that are absent from the update keep their values."""
    hints = {**(old.get("BufferingHints") or {}), **(update.get("BufferingHints") or {})}
    return {**old, **update, "BufferingHints": hints}


def _check(destination: Destination) -> None:
    prefix.complete(destination.prefix, destination.error_prefix, dynamic=destination.dynamic)
    try:
        zoneinfo.ZoneInfo(destination.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise _invalid(f"CustomTimeZone {destination.time_zone} is not a supported time zone.") from error
    keys = prefix.values(destination.prefix or "", "partitionKeyFromQuery")
    if keys and not destination.dynamic:
        raise _invalid("Prefix has partitionKeyFromQuery expressions, but dynamic partitioning is not enabled.")
    if destination.dynamic and not (destination.prefix and destination.error_prefix):
        raise _invalid("Dynamic partitioning needs both Prefix and ErrorOutputPrefix.")
    pipeline = Pipeline(destination.processors)
    if destination.dynamic and not pipeline.keys:
        raise _invalid("Dynamic partitioning needs a MetadataExtraction processor.")
    if missing := sorted(set(keys) - set(pipeline.keys)):
        raise _invalid(f"Prefix asks for partition keys that MetadataExtractionQuery does not give: {missing}.")
    if destination.dynamic and (unused := sorted(set(pipeline.keys) - set(keys))):
        raise _invalid(f"MetadataExtractionQuery gives partition keys that Prefix does not use: {unused}.")


def _hints(hints: Structure, *, dynamic: bool) -> tuple[int, int]:
    """Size in MiB and interval in seconds."""
    size = hints.get("SizeInMBs")
    interval = hints.get("IntervalInSeconds")
    if (size is None) != (interval is None):
        raise _invalid("BufferingHints: if you give one of SizeInMBs and IntervalInSeconds, you must give both.")
    size = (_DYNAMIC_MIN_MIB if dynamic else 5) if size is None else size
    interval = 300 if interval is None else interval
    if dynamic and size < _DYNAMIC_MIN_MIB:
        raise _invalid(f"BufferingHints.SizeInMBs must be at least {_DYNAMIC_MIN_MIB} with dynamic partitioning.")
    return size, interval


def _retry_seconds(config: Structure) -> int:
    options = (config.get("DynamicPartitioningConfiguration") or {}).get("RetryOptions") or {}
    seconds = options.get("DurationInSeconds")
    return 300 if seconds is None else int(seconds)


def _refuse_unsupported(config: Structure) -> None:
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in _COMPRESSIONS:
        raise _invalid(f"CompressionFormat {compression} is not supported locally; {', '.join(_COMPRESSIONS)} are.")
    if (config.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        raise _invalid("DataFormatConversionConfiguration is not supported locally.")
    if config.get("S3BackupMode") == "Enabled":
        raise _invalid("S3BackupMode Enabled is not supported locally.")


def _shown(config: Structure, destination: Destination) -> Document:
    return {
        **{name: value for name, value in config.items() if value is not None},
        "BufferingHints": {"SizeInMBs": destination.size_mib, "IntervalInSeconds": destination.interval},
        "CompressionFormat": destination.compression,
        "EncryptionConfiguration": config.get("EncryptionConfiguration") or {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": config.get("CloudWatchLoggingOptions") or {"Enabled": False},
        "S3BackupMode": "Disabled",
        "ProcessingConfiguration": config.get("ProcessingConfiguration") or {"Enabled": False, "Processors": []},
        "DataFormatConversionConfiguration": {"Enabled": False},
        "CustomTimeZone": destination.time_zone,
    }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
