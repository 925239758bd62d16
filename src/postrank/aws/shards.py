"""Reading a Kinesis stream: every shard from a moment on, through splits and merges.

A closed shard ends with a response without `NextShardIterator`, which names its children ("GetRecords", Kinesis API
reference). Children that are listed later, because the stream was resharded meanwhile, are read from their beginning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_RECORDS = 10_000  # of one call, the most that Kinesis takes


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """One record: the data as it was put, when it arrived, and the shard that holds it."""

    data: bytes
    arrived_at: datetime
    shard: str


@dataclass(slots=True)
class ShardReader:
    """The open shards of a stream, each with the iterator of its next call. Not for several threads."""

    kinesis: "KinesisClient"
    stream: str
    since: datetime
    behind_ms: int = 0  # of the shard that lags most: how old the oldest record is that has not been read
    _iterators: dict[str, str] = field(default_factory=dict)
    _opened: set[str] = field(default_factory=set)

    def read(self) -> Iterator[ShardRecord]:
        """The records that one call per shard returns; none when all shards are read up."""
        if not self._opened:
            self._open(self._listed(), latest=False)
        behind = 0
        for shard, iterator in list(self._iterators.items()):
            try:
                response = self.kinesis.get_records(ShardIterator=iterator, Limit=_RECORDS)
            except self.kinesis.exceptions.ProvisionedThroughputExceededException:
                continue  # five calls a second and shard: the next turn reads on
            except self.kinesis.exceptions.ExpiredIteratorException:
                self._opened.discard(shard)  # five minutes without a call: as after a restart
                del self._iterators[shard]
                self._open([shard], latest=False)
                continue
            behind = max(behind, response.get("MillisBehindLatest", 0))
            following = response.get("NextShardIterator")
            if following:
                self._iterators[shard] = following
            else:
                del self._iterators[shard]
                self._open(self._listed(), latest=True)
            for record in response["Records"]:
                yield ShardRecord(record["Data"], record["ApproximateArrivalTimestamp"], shard)
        self.behind_ms = behind

    def _listed(self) -> list[str]:
        pages = self.kinesis.get_paginator("list_shards").paginate(StreamName=self.stream)
        return [shard["ShardId"] for page in pages for shard in page["Shards"]]

    def _open(self, shards: list[str], *, latest: bool) -> None:
        """Ask for iterators of shards that are not open yet: from `since` on, or all of a child's records."""
        for shard in shards:
            if shard in self._opened:
                continue
            self._opened.add(shard)
            if latest:
                response = self.kinesis.get_shard_iterator(
                    StreamName=self.stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
                )
            else:
                response = self.kinesis.get_shard_iterator(
                    StreamName=self.stream, ShardId=shard, ShardIteratorType="AT_TIMESTAMP", Timestamp=self.since
                )
            self._iterators[shard] = response["ShardIterator"]
