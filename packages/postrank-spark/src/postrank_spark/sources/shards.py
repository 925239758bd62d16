"""A Python data source of Spark 4 that reads a Kinesis stream through boto3.

Its partitions are shards, its offsets sequence numbers: the end of a batch is the newest sequence number
of each shard when the batch was planned, so a batch that is run again reads the same records. A shard that a split or
merge closed ends with the offset END; its children are listed from then on and read from their beginning.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

FORMAT = "postrank-kinesis"
SCHEMA = "data binary, partition string, position string, arrived_at timestamp"
START = ""  # before the first record of a shard
END = "end"  # after the last record of a closed shard
_BACK = (2.0, 15.0, 120.0)  # seconds before now from which the newest record is looked for, in turn
_SKEW = 10.0  # seconds that clocks may differ
_PAUSE = 0.25  # five reads a second and shard are allowed ("GetRecords", Kinesis API reference)
_ATTEMPTS = 240


class RecordsExpired(Exception):
    """Records left the stream before they were read."""


class KinesisSource(DataSource):
    """The format `postrank-kinesis`; options `stream`, `region`."""

    @classmethod
    def name(cls) -> str:
        return FORMAT

    def schema(self) -> str:
        return SCHEMA

    def streamReader(self, schema: Any) -> "ShardsReader":  # noqa: ARG002, N802 - PySpark's interface
        return ShardsReader(self.options["stream"], self.options["region"])


@dataclass
class ShardRange(InputPartition):
    """The records of a shard after one position, up to another one."""

    shard: str
    after: str
    upto: str


class ShardsReader(DataSourceStreamReader):
    """Plans batches on the driver, and reads ranges of shards on executors."""

    def __init__(self, stream: str, region: str) -> None:
        self.stream = stream
        self.region = region
        self._newest: dict[str, str] = {}  # by shard
        self._probed: dict[str, float] = {}  # by shard: Unix time up to which `_newest` is known
        self._client: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None}

    def initialOffset(self) -> dict[str, str]:  # noqa: N802 - PySpark's interface
        return {shard["ShardId"]: START for shard in self._shards()}

    def latestOffset(self) -> dict[str, str]:  # noqa: N802 - PySpark's interface
        """The newest position of every shard that Kinesis still lists."""
        offsets = {}
        for shard in self._shards():
            name = shard["ShardId"]
            closed = "EndingSequenceNumber" in shard["SequenceNumberRange"]
            offsets[name] = END if closed else self._newest_of(name)
        self._newest = offsets
        return offsets

    def partitions(self, start: Mapping[str, str], end: Mapping[str, str]) -> list[InputPartition]:
        ranges: list[InputPartition] = []
        for shard, upto in end.items():
            after = start.get(shard, START)
            if after not in (upto, END):
                ranges.append(ShardRange(shard, after, upto))
        return ranges

    def read(self, partition: InputPartition) -> Iterator[tuple[bytes, str, str, datetime]]:
        """The records of a range. Raises RecordsExpired."""
        assert isinstance(partition, ShardRange)  # noqa: S101 - `partitions` makes no others
        last = None if partition.upto == END else int(partition.upto)
        for record in self._pages(partition.shard, self._from(partition.after), last):
            yield (
                record["Data"],
                partition.shard,
                record["SequenceNumber"],
                record["ApproximateArrivalTimestamp"],
            )

    def commit(self, end: Mapping[str, str]) -> None:
        """Nothing: Kinesis keeps no positions of its readers."""

    def _pages(self, shard: str, position: dict[str, Any], last: int | None) -> Iterator[dict[str, Any]]:
        """Records of a shard up to the sequence number `last`, or to the shard's end."""
        iterator = self._kinesis().get_shard_iterator(StreamName=self.stream, ShardId=shard, **position)[
            "ShardIterator"
        ]
        while iterator:
            response = self._get(iterator)
            for record in response["Records"]:
                if last is not None and int(record["SequenceNumber"]) > last:
                    return
                yield record
                if last is not None and int(record["SequenceNumber"]) == last:
                    return
            iterator = response.get("NextShardIterator")
            if last is not None and not response["Records"] and response.get("MillisBehindLatest", 0) == 0:
                raise RecordsExpired(
                    f"{shard} of {self.stream} no longer has the records up to {last}: they were older than the"
                    " stream's retention. Start with a new checkpoint, and rank the missed hours with backfill_posts"
                )

    def _newest_of(self, shard: str) -> str:
        """The newest sequence number of an open shard, from a read of its last seconds."""
        last = self._newest.get(shard, START)
        probed = self._probed.get(shard)
        now = time.time()
        newest = START
        for seconds in _BACK:
            since = now - seconds
            if probed is not None and since < probed:
                break
            if newest := self._last({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": since}, shard):
                break
        if not newest:
            if probed is None:
                newest = self._last(self._from(last), shard)
            else:
                newest = self._last({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": probed - _SKEW}, shard)
        self._probed[shard] = now
        return max(newest, last, key=lambda position: int(position or -1))

    def _last(self, position: dict[str, Any], shard: str) -> str:
        """The last sequence number after a position, START if there is none."""
        iterator = self._kinesis().get_shard_iterator(StreamName=self.stream, ShardId=shard, **position)[
            "ShardIterator"
        ]
        last = START
        while iterator:
            response = self._get(iterator)
            if response["Records"]:
                last = response["Records"][-1]["SequenceNumber"]
            if response.get("MillisBehindLatest", 0) == 0:
                break
            iterator = response.get("NextShardIterator")
        return last

    def _from(self, position: str) -> dict[str, Any]:
        if position == START:
            return {"ShardIteratorType": "TRIM_HORIZON"}
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": position}

    def _get(self, iterator: str) -> Any:
        """One GetRecords, again while the shard's readers are throttled."""
        kinesis = self._kinesis()
        for _ in range(_ATTEMPTS):
            try:
                return kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            except kinesis.exceptions.ProvisionedThroughputExceededException:
                time.sleep(_PAUSE)
        raise TimeoutError(f"{self.stream} throttled its readers for {timedelta(seconds=_PAUSE * _ATTEMPTS)}")

    def _shards(self) -> list[dict[str, Any]]:
        pages = self._kinesis().get_paginator("list_shards").paginate(StreamName=self.stream)
        return [shard for page in pages for shard in page["Shards"]]

    def _kinesis(self) -> Any:
        if self._client is None:
            import boto3

            self._client = boto3.client("kinesis", region_name=self.region)
        return self._client
