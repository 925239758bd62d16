"""Putting a finished object into S3: its key, the permission for it, the move, the metrics."""

import uuid
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from localaws.core.cloud import Caller, Cloud
from localaws.services.cloudwatch.metrics.publisher import Publisher
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
    keys: list[str]  # names of the partition keys

    def deliver(self, finished: OpenObject, caller: Caller) -> str:
        """Store the sealed object under its key, and return that. Raises AwsError; the object's file stays then."""
        bucket = self.stream.destination.bucket
        key = self.key(finished)
        size = finished.path.stat().st_size
        self.cloud.authorize(caller, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
        self.cloud.objects.put_file(bucket, key, finished.path)
        self.count("DeliveryToS3.Success", 1, "Count")
        self.count("DeliveryToS3.Records", finished.records, "Count")
        self.count("DeliveryToS3.Bytes", size, "Bytes")
        return key

    def key(self, finished: OpenObject) -> str:
        """Source of the form: "Configure Amazon S3 object name format"."""
        destination = self.stream.destination
        good, bad = prefix.complete(destination.prefix, destination.error_prefix, dynamic=destination.dynamic)
        zone = zoneinfo.ZoneInfo(destination.time_zone)
        moment = datetime.fromtimestamp(finished.oldest / 1000, UTC).astimezone(zone)
        partition: Mapping[str, str] = dict(zip(self.keys, finished.partition, strict=False))
        start = prefix.evaluate(
            bad if finished.error_type else good, moment=moment, partition=partition, error_type=finished.error_type
        )
        extension = _EXTENSIONS[destination.compression] if destination.extension is None else destination.extension
        stamp = f"{moment:%Y-%m-%d-%H-%M-%S}"
        return f"{start}{self.stream.name}-{self.stream.version}-{stamp}-{uuid.uuid4()}{extension}"

    def count(self, metric: str, value: float, unit: str) -> None:
        self.publisher.add({"DeliveryStreamName": self.stream.name}, metric, value, unit)
