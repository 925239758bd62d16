"""The metrics of streams, and the traffic that on-demand streams are scaled by.

Source of the names: "Monitoring the Kinesis Data Streams service with Amazon CloudWatch".
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from localaws.services.cloudwatch.metrics.publisher import Publisher


class Traffic(NamedTuple):
    """What a stream took in since it was last asked."""

    records: int = 0
    size: int = 0  # bytes


class Counting:
    """Told of every call on records."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._traffic: dict[str, Traffic] = {}

    def put_record(self, stream: str, size: int, *, taken: bool) -> None:
        self._add(stream, "PutRecord.Success", int(taken))
        self._add(stream, "WriteProvisionedThroughputExceeded", int(not taken))
        if taken:
            self._add(stream, "PutRecord.Bytes", size, "Bytes")
            self._count_put(stream, 1, size)

    def put_records(self, stream: str, sizes: Sequence[int], taken: Sequence[bool]) -> None:
        good = sum(taken)
        size = sum(size for size, fine in zip(sizes, taken, strict=True) if fine)
        self._add(stream, "PutRecords.Success", int(good > 0))
        self._add(stream, "PutRecords.TotalRecords", len(taken))
        self._add(stream, "PutRecords.SuccessfulRecords", good)
        self._add(stream, "PutRecords.ThrottledRecords", len(taken) - good)
        self._add(stream, "WriteProvisionedThroughputExceeded", len(taken) - good)
        self._add(stream, "PutRecords.Bytes", size, "Bytes")
        self._count_put(stream, good, size)

    def get_records(self, stream: str, records: int, size: int, behind: int) -> None:
        """`behind` in milliseconds."""
        self._add(stream, "GetRecords.Success", 1)
        self._add(stream, "GetRecords.Records", records)
        self._add(stream, "GetRecords.Bytes", size, "Bytes")
        self._add(stream, "GetRecords.IteratorAgeMilliseconds", behind, "Milliseconds")

    def refused_read(self, stream: str) -> None:
        self._add(stream, "GetRecords.Success", 0)
        self._add(stream, "ReadProvisionedThroughputExceeded", 1)

    def subscription_event(self, stream: str, consumer: str, records: int, size: int, behind: int) -> None:
        """`behind` in milliseconds."""
        dimensions = {"StreamName": stream, "ConsumerName": consumer}
        self._publisher.add(dimensions, "SubscribeToShardEvent.Success", 1, "Count")
        self._publisher.add(dimensions, "SubscribeToShardEvent.Records", records, "Count")
        self._publisher.add(dimensions, "SubscribeToShardEvent.Bytes", size, "Bytes")
        self._publisher.add(dimensions, "SubscribeToShardEvent.MillisBehindLatest", behind, "Milliseconds")

    def subscription(self, stream: str, consumer: str, *, taken: bool) -> None:
        dimensions = {"StreamName": stream, "ConsumerName": consumer}
        self._publisher.add(dimensions, "SubscribeToShard.Success", int(taken), "Count")
        self._publisher.add(dimensions, "SubscribeToShard.RateExceeded", int(not taken), "Count")

    def take_traffic(self) -> dict[str, Traffic]:
        """What each stream took in since the last time this was asked."""
        with self._lock:
            traffic = self._traffic
            self._traffic = {}
        return traffic

    def _count_put(self, stream: str, records: int, size: int) -> None:
        if not records:
            return
        self._add(stream, "IncomingRecords", records, count=records)
        self._add(stream, "IncomingBytes", size, "Bytes", count=records)
        with self._lock:
            before = self._traffic.get(stream, Traffic())
            self._traffic[stream] = Traffic(before.records + records, before.size + size)

    def _add(self, stream: str, metric: str, value: float, unit: str = "Count", *, count: int = 1) -> None:
        self._publisher.add({"StreamName": stream}, metric, value, unit, count=count)
