"""Making streams for tests, and reading all that one holds."""

import uuid

from localaws.testing.waiting import wait_for


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def make_stream(kinesis, shards=1, **options):
    """The name of a new stream that is ACTIVE; no shard count where `shards` is None."""
    name = unique("stream")
    count = {} if shards is None else {"ShardCount": shards}
    kinesis.create_stream(StreamName=name, **count, **options)
    settled(kinesis, name)
    return name


def settled(kinesis, name):
    """Wait until the stream is ACTIVE."""

    def active():
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return summary["StreamStatus"] == "ACTIVE"

    wait_for(active, timeout=10, what=f"stream {name} to be ACTIVE")


def iterator(kinesis, name, shard="shardId-000000000000", kind="TRIM_HORIZON", **options):
    answer = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **options)
    return answer["ShardIterator"]


def read_all(kinesis, name):
    """Every record of every shard, by shard."""
    records = {}
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        token, found = iterator(kinesis, name, shard["ShardId"]), []
        while token:
            answer = kinesis.get_records(ShardIterator=token)
            found.extend(answer["Records"])
            token = answer.get("NextShardIterator") if answer["Records"] else None
        records[shard["ShardId"]] = found
    return records
