"""Where a delivery stream's records come from: the shards of a Kinesis stream, or what was put directly."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from localaws.core.cloud import AwsError, Caller, Cloud
from localaws.core.shapes import Document
from localaws.services.firehose.records import aggregation
from localaws.services.firehose.streams.store import Checkpoint, Store

_BATCH = 8 * 1024 * 1024  # bytes of records put directly that are read at once
THROTTLED = "ProvisionedThroughputExceededException"
_GONE = frozenset({"ResourceNotFoundException", "ExpiredIteratorException"})


class Arrived(NamedTuple):
    """One record: its position (a sequence number or an id; both order as numbers) and arrival (epoch ms)."""

    position: int
    arrived: int
    data: bytes


class Batch(NamedTuple):
    """What one read of a shard gave. `ended` says that the shard was resharded away and is read to its end."""

    shard: str
    records: list[Arrived]
    behind: int  # milliseconds behind the newest record
    more: bool  # reading again at once will give more
    ended: bool = False


class Source(Protocol):
    """Records in order per shard. A source remembers nothing over a restart: the checkpoints it is made with do."""

    @property
    def shards(self) -> int:
        """How many shards one `read` reads."""
        ...

    def read(self) -> Iterator[Batch]:
        """One read of each shard that there is. Raises AwsError when the source refuses."""
        ...

    def delivered(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """All before these checkpoints is delivered; the source may forget it."""
        ...


class DirectSource:
    """Records put with PutRecord and PutRecordBatch: one shard, held in the store until delivered."""

    SHARD = "direct"

    def __init__(self, store: Store, incarnation: str) -> None:
        self._store = store
        self._incarnation = incarnation
        self._read = 0

    @property
    def shards(self) -> int:
        return 1

    def read(self) -> Iterator[Batch]:
        rows = self._store.records(self._incarnation, self._read, _BATCH)
        if rows:
            self._read = rows[-1][0]
            yield Batch(self.SHARD, [Arrived(*row) for row in rows], 0, more=True)

    def delivered(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        checkpoint = checkpoints[self.SHARD]
        through = int(checkpoint.position) - (checkpoint.kind == "at")
        self._store.forget_records(self._incarnation, through)


class KinesisSource:
    """The shards of a Kinesis stream, read through its public API under the role of the delivery stream."""

    def __init__(
        self, cloud: Cloud, stream_arn: str, *, caller: Caller, begin: float, checkpoints: Mapping[str, Checkpoint]
    ) -> None:
        """A shard without a checkpoint is read from `begin` (epoch s), when the delivery stream was made."""
        self._cloud = cloud
        self._arn = stream_arn
        self._begin = begin
        self._ended = {shard for shard, checkpoint in checkpoints.items() if checkpoint.kind == "ended"}
        self._resume = dict(checkpoints)
        self._iterators: dict[str, str] = {}
        self._stale = True  # the list of shards must be asked for again
        self.caller = caller

    @property
    def shards(self) -> int:
        return len(self._iterators)

    def read(self) -> Iterator[Batch]:
        if self._stale:
            self._find_shards()
        throttled: AwsError | None = None
        for shard in list(self._iterators):
            try:
                yield self._read_shard(shard)
            except AwsError as error:
                if error.code != THROTTLED:
                    raise
                throttled = error  # a hot shard must not hold up the others
        if throttled is not None:
            raise throttled

    def delivered(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """The stream keeps its records by its own retention."""

    def _read_shard(self, shard: str) -> Batch:
        try:
            answer = self._call("GetRecords", StreamARN=self._arn, ShardIterator=self._iterators[shard], Limit=10_000)
        except AwsError as error:
            if error.code in _GONE:
                self._stale = True
                del self._iterators[shard]
            raise
        records = [
            Arrived(
                int(record["SequenceNumber"]),
                round(record["ApproximateArrivalTimestamp"].timestamp() * 1000),
                data,
            )
            for record in answer["Records"]
            for data in aggregation.parts(record["Data"])
        ]
        if records:
            self._resume[shard] = Checkpoint("after", str(records[-1].position))
        following = answer.get("NextShardIterator")
        if following is None:
            self._ended.add(shard)
            del self._iterators[shard]
            self._stale = True
            return Batch(shard, records, 0, more=True, ended=True)
        self._iterators[shard] = following
        behind = int(answer.get("MillisBehindLatest") or 0)
        return Batch(shard, records, behind, more=behind > 0)

    def _find_shards(self) -> None:
        """Take up the shards whose parents are read to the end, so that a key's records keep their order."""
        shards = self._list_shards()
        unread = {shard["ShardId"] for shard in shards} - self._ended
        for shard in shards:
            parents = {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")}
            if shard["ShardId"] in unread and shard["ShardId"] not in self._iterators and not parents & unread:
                self._iterators[shard["ShardId"]] = self._iterator(shard["ShardId"])
        self._stale = False

    def _list_shards(self) -> list[Document]:
        shards: list[Document] = []
        request: Document = {"StreamARN": self._arn}
        while True:
            answer = self._call("ListShards", **request)
            shards.extend(answer["Shards"])
            if not answer.get("NextToken"):
                return shards
            request = {"NextToken": answer["NextToken"]}

    def _iterator(self, shard: str) -> str:
        start: Document
        resume = self._resume.get(shard)
        if resume is None:
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.fromtimestamp(self._begin, UTC)}
        else:
            kind = "AT_SEQUENCE_NUMBER" if resume.kind == "at" else "AFTER_SEQUENCE_NUMBER"
            start = {"ShardIteratorType": kind, "StartingSequenceNumber": resume.position}
        return str(self._call("GetShardIterator", StreamARN=self._arn, ShardId=shard, **start)["ShardIterator"])

    def _call(self, action: str, **params: Any) -> Document:
        return self._cloud.call("kinesis", action, params, self.caller)
