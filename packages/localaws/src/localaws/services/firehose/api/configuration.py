"""Destination configurations: checked, completed with AWS's defaults, shown again by DescribeDeliveryStream.

Source of the rules: "ExtendedS3DestinationConfiguration", "BufferingHints", "DynamicPartitioningConfiguration" (API
reference) and "Partitioning streaming data" (Data Firehose).
"""

import zoneinfo

from localaws.core.cloud import AwsError
from localaws.core.shapes import Document, Structure
from localaws.services.firehose.columnar import conversion, iceberg
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.records.processing import Pipeline
from localaws.services.firehose.streams.model import Destination

_COMPRESSIONS = ("UNCOMPRESSED", "GZIP", "ZIP")
_CONVERTED_MIB = 128  # "BufferingHints": the default with format conversion
_DYNAMIC_MIN_MIB = 64  # "Partitioning streaming data": the buffer is at least 64 MiB


def destination(config: Structure) -> Destination:
    """The destination that a configuration describes. Raises AwsError InvalidArgumentException for a wrong one."""
    _refuse_unsupported(config)
    dynamic = bool((config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))
    converted = conversion.checked(config.get("DataFormatConversionConfiguration") or {})
    size, interval = _hints(config.get("BufferingHints") or {}, dynamic=dynamic, converted=bool(converted))
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
        conversion=converted,
    )
    _check(parsed)
    parsed.shown = _shown(config, parsed)
    return parsed


def iceberg_destination(config: Structure) -> Destination:
    """The destination that an IcebergDestinationConfiguration describes: its S3Configuration takes what fails.

    Raises AwsError InvalidArgumentException.
    """
    errors = config["S3Configuration"]
    table = iceberg.checked(config)
    prefix_of_errors = (config["DestinationTableConfigurationList"][0]).get("S3ErrorOutputPrefix")
    parsed = destination(
        {
            **{name: value for name, value in errors.items() if name in ("BucketARN", "CompressionFormat")},
            "RoleARN": config["RoleARN"],
            "Prefix": errors.get("Prefix"),
            "ErrorOutputPrefix": prefix_of_errors or errors.get("ErrorOutputPrefix"),
            "BufferingHints": config.get("BufferingHints"),
            "ProcessingConfiguration": config.get("ProcessingConfiguration"),
            "CloudWatchLoggingOptions": config.get("CloudWatchLoggingOptions"),
        }
    )
    if any(processor["Type"] == "MetadataExtraction" for processor in parsed.processors):
        raise _invalid("Routing to tables by MetadataExtraction is not supported locally.")
    parsed.iceberg = table
    parsed.shown = {
        **{name: value for name, value in config.items() if value is not None},
        "BufferingHints": parsed.shown["BufferingHints"],
        "CloudWatchLoggingOptions": parsed.shown["CloudWatchLoggingOptions"],
    }
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
    if destination.conversion and destination.compression != "UNCOMPRESSED":
        raise _invalid("CompressionFormat must be UNCOMPRESSED with format conversion; the serializer compresses.")
    keys = prefix.values(destination.prefix or "", "partitionKeyFromQuery")
    from_function = prefix.values(destination.prefix or "", "partitionKeyFromLambda")
    if (keys or from_function) and not destination.dynamic:
        raise _invalid("Prefix has partitionKeyFrom... expressions, but dynamic partitioning is not enabled.")
    if from_function and not any(processor["Type"] == "Lambda" for processor in destination.processors):
        raise _invalid("Prefix has partitionKeyFromLambda expressions, but there is no Lambda processor.")
    if destination.dynamic and not (destination.prefix and destination.error_prefix):
        raise _invalid("Dynamic partitioning needs both Prefix and ErrorOutputPrefix.")
    pipeline = Pipeline(destination.processors)
    if destination.dynamic and not (pipeline.keys or from_function):
        raise _invalid("Dynamic partitioning needs a MetadataExtraction processor, or keys from a Lambda processor.")
    if missing := sorted(set(keys) - set(pipeline.keys)):
        raise _invalid(f"Prefix asks for partition keys that MetadataExtractionQuery does not give: {missing}.")
    if destination.dynamic and (unused := sorted(set(pipeline.keys) - set(keys))):
        raise _invalid(f"MetadataExtractionQuery gives partition keys that Prefix does not use: {unused}.")


def _hints(hints: Structure, *, dynamic: bool, converted: bool) -> tuple[int, int]:
    """Size in MiB and interval in seconds."""
    size = hints.get("SizeInMBs")
    interval = hints.get("IntervalInSeconds")
    if (size is None) != (interval is None):
        raise _invalid("BufferingHints: if you give one of SizeInMBs and IntervalInSeconds, you must give both.")
    if size is None:
        size = _CONVERTED_MIB if converted else _DYNAMIC_MIN_MIB if dynamic else 5
    interval = 300 if interval is None else interval
    if dynamic and size < _DYNAMIC_MIN_MIB:
        raise _invalid(f"BufferingHints.SizeInMBs must be at least {_DYNAMIC_MIN_MIB} with dynamic partitioning.")
    if converted and size < _DYNAMIC_MIN_MIB:
        raise _invalid(f"BufferingHints.SizeInMBs must be at least {_DYNAMIC_MIN_MIB} with format conversion.")
    return size, interval


def _retry_seconds(config: Structure) -> int:
    options = (config.get("DynamicPartitioningConfiguration") or {}).get("RetryOptions") or {}
    seconds = options.get("DurationInSeconds")
    return 300 if seconds is None else int(seconds)


def _refuse_unsupported(config: Structure) -> None:
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in _COMPRESSIONS:
        raise _invalid(f"CompressionFormat {compression} is not supported locally; {', '.join(_COMPRESSIONS)} are.")
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
        "DataFormatConversionConfiguration": config.get("DataFormatConversionConfiguration") or {"Enabled": False},
        "CustomTimeZone": destination.time_zone,
    }


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidArgumentException", message)
