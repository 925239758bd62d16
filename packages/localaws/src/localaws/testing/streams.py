"""Making streams for tests, and reading all that one holds."""

import uuid
from typing import Any

from localaws.core.shapes import Document
from localaws.testing.waiting import wait_for


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def make_stream(kinesis: Any, shards: int | None = 1, **options: Any) -> str:
    """The name of a new stream that is ACTIVE; no shard count where `shards` is None."""
    name = unique("stream")
    count = {} if shards is None else {"ShardCount": shards}
    kinesis.create_stream(StreamName=name, **count, **options)
    settled(kinesis, name)
    return name


def settled(kinesis: Any, name: str) -> None:
    """Wait until the stream is ACTIVE."""

    def active() -> bool:
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return bool(summary["StreamStatus"] == "ACTIVE")

    wait_for(active, timeout=10, what=f"stream {name} to be ACTIVE")


def iterator(
    kinesis: Any, name: str, shard: str = "shardId-000000000000", kind: str = "TRIM_HORIZON", **options: Any
) -> str:
    response = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **options)
    return str(response["ShardIterator"])


def read_all(kinesis: Any, name: str) -> dict[str, list[Document]]:
    """Every record of every shard, by shard."""
    return {
        shard["ShardId"]: _read_shard(kinesis, name, shard["ShardId"])
        for shard in kinesis.list_shards(StreamName=name)["Shards"]
    }


def _read_shard(kinesis: Any, name: str, shard: str) -> list[Document]:
    records: list[Document] = []
    token: str | None = iterator(kinesis, name, shard)
    while token:
        page = kinesis.get_records(ShardIterator=token)
        records.extend(page["Records"])
        token = page.get("NextShardIterator") if page["Records"] else None
    return records
