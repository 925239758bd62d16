"""Putting a finished object into S3: its key, the permission for it, the move, the metrics."""

import uuid
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from localaws.core.cloud import Caller, Cloud
from localaws.services.cloudwatch.metrics.publisher import Publisher
from localaws.services.firehose.columnar import conversion, iceberg
from localaws.services.firehose.delivery.buffers import OpenObject
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.streams.model import DeliveryStream

_EXTENSIONS = {"GZIP": ".gz", "ZIP": ".zip", "UNCOMPRESSED": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Delivers for one version of one stream's configuration."""

    cloud: Cloud
    stream: DeliveryStream
    publisher: Publisher
    keys: list[str]  # names of the partition keys; "lambda:name" for those of a function
    assume: Callable[[str], Caller]
    table: iceberg.IcebergTable | None = None

    def deliver(self, finished: OpenObject, caller: Caller) -> None:
        """Store the sealed object under its key, or its records in a table. Raises AwsError; its file stays then."""
        if finished.error_type or not (self.stream.destination.conversion or self.table):
            self._put(self.key(finished), finished.path, finished.records, caller)
            return
        if self.table:
            converted = self.table.append(finished.path)
            self.count("DeliveryToIceberg.SuccessfulRowCount", converted.rows, "Count")
            error_type = iceberg.ERROR_TYPE
        else:
            converted = self._converted(finished)
            error_type = conversion.ERROR_TYPE
        if converted.failed:
            errors = finished.path.with_suffix(".errors")
            errors.write_bytes(converted.failed)
            self._put(self.key(finished, error_type), errors, converted.failures, caller)
        if converted.path is not None:
            self._put(self.key(finished), converted.path, converted.rows, caller)
        finished.path.unlink(missing_ok=True)

    def _converted(self, finished: OpenObject) -> conversion.Converted:
        described = self.stream.destination.conversion
        converted = conversion.convert(
            self.cloud, self.assume(described["schema"]["RoleARN"]), described, finished.path
        )
        self.count("SucceedConversion.Records", converted.rows, "Count")
        self.count("FailedConversion.Records", converted.failures, "Count")
        return converted

    def _put(self, key: str, path: Path, records: int, caller: Caller) -> None:
        bucket = self.stream.destination.bucket
        size = path.stat().st_size
        self.cloud.authorize(caller, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        self.cloud.objects.put_file(bucket, key, path)
        self.count("DeliveryToS3.Success", 1, "Count")
        self.count("DeliveryToS3.Records", records, "Count")
        self.count("DeliveryToS3.Bytes", size, "Bytes")

    def key(self, finished: OpenObject, error_type: str = "") -> str:
        """Source of the form: "Configure Amazon S3 object name format"."""
        destination = self.stream.destination
        good, bad = prefix.complete(destination.prefix, destination.error_prefix, dynamic=destination.dynamic)
        zone = zoneinfo.ZoneInfo(destination.time_zone)
        moment = datetime.fromtimestamp(finished.oldest / 1000, UTC).astimezone(zone)
        partition: Mapping[str, str] = dict(zip(self.keys, finished.partition, strict=False))
        error_type = error_type or finished.error_type
        chosen = bad if error_type else good
        start = prefix.evaluate(chosen, moment=moment, partition=partition, error_type=error_type)
        usual = _EXTENSIONS[destination.compression]
        if destination.conversion and not error_type:
            usual = conversion.extension(destination.conversion)
        extension = usual if destination.extension is None else destination.extension
        stamp = f"{moment:%Y-%m-%d-%H-%M-%S}"
        return f"{start}{self.stream.name}-{self.stream.version}-{stamp}-{uuid.uuid4()}{extension}"

    def count(self, metric: str, value: float, unit: str) -> None:
        self.publisher.add({"DeliveryStreamName": self.stream.name}, metric, value, unit)
