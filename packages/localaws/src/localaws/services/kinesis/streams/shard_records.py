"""What GetRecords and subscriptions share: where reading starts, how records look, what follows a closed shard."""

from datetime import UTC, datetime

from localaws.core.cloud import ACCOUNT, AwsError
from localaws.core.shapes import Document, Params
from localaws.services.kinesis.streams.catalogue import Streams
from localaws.services.kinesis.streams.model import Shard, Stream
from localaws.services.kinesis.streams.record_store import Record
from localaws.services.kinesis.streams.sequence_numbers import position_of, sequence_number


def start_position(streams: Streams, stream: Stream, shard: Shard, params: Params) -> int:
    """The position behind which reading begins: `params` are those of GetShardIterator.

    Raises AwsError InvalidArgumentException.
    """
    kind = params["ShardIteratorType"]
    if kind == "TRIM_HORIZON":
        return 0
    if kind == "LATEST":
        return streams.tail(shard.key)[0]
    if kind == "AT_TIMESTAMP":
        if params.get("Timestamp") is None:
            raise AwsError("InvalidArgumentException", "Must specify timestamp parameter for AT_TIMESTAMP.")
        return streams.store.before(shard.key, int(params["Timestamp"].timestamp() * 1000))
    text = params.get("StartingSequenceNumber") or ""
    position = position_of(text, shard)
    if position is None:
        raise AwsError(
            "InvalidArgumentException",
            f"StartingSequenceNumber {text} used in GetShardIterator on shard {shard.id} in stream {stream.name} "
            f"under account {ACCOUNT} is invalid.",
        )
    return max(position - 1, 0) if kind == "AT_SEQUENCE_NUMBER" else position


def shown(stream: Stream, shard: Shard, row: Record) -> Document:
    """A record in the shape of the API."""
    return {
        "SequenceNumber": sequence_number(shard, row.position, row.arrived / 1000),
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(row.arrived / 1000, UTC),
        "Data": row.data,
        "PartitionKey": row.partition_key,
        "EncryptionType": stream.encryption,
    }


def child_shards(stream: Stream, shard: Shard) -> list[Document]:
    """The shards that took over the hash keys of a closed one."""
    return [
        {
            "ShardId": child.id,
            "ParentShards": [
                f"shardId-{number:012d}" for number in (child.parent, child.adjacent_parent) if number is not None
            ],
            "HashKeyRange": {"StartingHashKey": str(child.low), "EndingHashKey": str(child.high)},
        }
        for child in stream.shards
        if shard.number in (child.parent, child.adjacent_parent)
    ]
