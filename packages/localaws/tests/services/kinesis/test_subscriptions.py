"""Enhanced fan-out: records that are pushed to a registered consumer. Rules from the page "SubscribeToShard"."""

import threading
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, settled
from localaws.testing.waiting import wait_for

FIRST = "shardId-000000000000"
SPEED = 100  # a subscription lives for three seconds


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=SPEED) as aws:
        yield aws


@pytest.fixture(scope="module")
def kinesis(aws):
    return aws.client("kinesis")


def arn_of(name):
    return f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}"


def register(kinesis, name, consumer="reader"):
    answer = kinesis.register_stream_consumer(StreamARN=arn_of(name), ConsumerName=consumer)
    return answer["Consumer"]["ConsumerARN"]


def subscribe(kinesis, consumer, shard=FIRST, kind="TRIM_HORIZON", **position):
    starting = {"Type": kind, **position}
    return kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition=starting)["EventStream"]


def put(kinesis, name, *texts):
    records = [{"Data": text.encode(), "PartitionKey": "k"} for text in texts]
    return kinesis.put_records(StreamName=name, Records=records)["Records"]


class Reader:
    """Collects the events of a subscription as they come, on a thread of its own."""

    def __init__(self, stream):
        self.events = []
        self.error = None
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            for event in self._stream:
                self.events.append(event["SubscribeToShardEvent"])
        except EventStreamError as error:
            self.error = error.response["Error"]["Code"]

    @property
    def texts(self):
        return [record["Data"].decode() for event in self.events for record in event["Records"]]

    def wait_for(self, *texts):
        wait_for(lambda: self.texts == list(texts), what=f"the records {texts}")

    def end(self):
        self._thread.join(20)
        assert not self._thread.is_alive()


def test_records_are_pushed_as_they_are_put(kinesis):
    name = make_stream(kinesis)
    put(kinesis, name, "old")
    reader = Reader(subscribe(kinesis, register(kinesis, name)))
    reader.wait_for("old")
    began = time.monotonic()
    numbers = put(kinesis, name, "new", "newer")
    reader.wait_for("old", "new", "newer")
    assert time.monotonic() - began < 1
    event = reader.events[-1]
    assert event["MillisBehindLatest"] == 0
    assert event["ContinuationSequenceNumber"] == numbers[-1]["SequenceNumber"]
    assert event["Records"][-1]["PartitionKey"] == "k"


def test_a_subscription_expires_and_is_renewed_where_it_ended(kinesis):
    """After five minutes the connection ends; the continuation number is where to subscribe again."""
    name = make_stream(kinesis)
    consumer = register(kinesis, name)
    began = time.monotonic()
    reader = Reader(subscribe(kinesis, consumer))
    put(kinesis, name, "first")
    reader.wait_for("first")
    reader.end()
    assert reader.error is None
    assert 300 / SPEED - 0.5 < time.monotonic() - began < 10
    put(kinesis, name, "second")
    after = reader.events[-1]["ContinuationSequenceNumber"]
    Reader(subscribe(kinesis, consumer, kind="AFTER_SEQUENCE_NUMBER", SequenceNumber=after)).wait_for("second")


@pytest.mark.parametrize(("kind", "expected"), [("LATEST", ["new"]), ("AT_SEQUENCE_NUMBER", ["b", "new"])])
def test_a_subscription_starts_where_it_says(kinesis, kind, expected):
    name = make_stream(kinesis)
    numbers = put(kinesis, name, "a", "b")
    position = {"SequenceNumber": numbers[1]["SequenceNumber"]} if kind == "AT_SEQUENCE_NUMBER" else {}
    reader = Reader(subscribe(kinesis, register(kinesis, name), kind=kind, **position))
    put(kinesis, name, "new")
    reader.wait_for(*expected)


def test_a_closed_shard_ends_with_its_children(kinesis):
    name = make_stream(kinesis)
    put(kinesis, name, "last")
    kinesis.split_shard(StreamName=name, ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    settled(kinesis, name)
    reader = Reader(subscribe(kinesis, register(kinesis, name)))
    reader.end()
    assert reader.texts == ["last"]
    children = reader.events[-1]["ChildShards"]
    assert [child["ShardId"] for child in children] == ["shardId-000000000001", "shardId-000000000002"]
    assert children[0]["ParentShards"] == [FIRST]


def test_a_later_subscription_takes_over_and_one_at_once_is_refused(tmp_path):
    """Within 5 seconds a second call gets ResourceInUseException; after that it takes over the subscription."""
    with running_localaws(tmp_path, speed=10) as aws:
        kinesis = aws.client("kinesis")
        name = make_stream(kinesis)
        consumer = register(kinesis, name)
        earlier = Reader(subscribe(kinesis, consumer))
        with pytest.raises(ClientError) as refused:
            subscribe(kinesis, consumer)
        assert refused.value.response["Error"]["Code"] == "ResourceInUseException"

        def renewed():
            try:
                return subscribe(kinesis, consumer)
            except ClientError:
                return None

        later = Reader(wait_for(renewed, what="the renewal"))
        earlier.end()
        assert earlier.error == "ResourceInUseException"
        put(kinesis, name, "x")
        later.wait_for("x")


def test_a_deregistered_consumer_gets_no_more(kinesis):
    name = make_stream(kinesis)
    consumer = register(kinesis, name)
    reader = Reader(subscribe(kinesis, consumer))
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)
    reader.end()
    assert reader.error == "ResourceNotFoundException"
    with pytest.raises(ClientError) as refused:
        subscribe(kinesis, consumer)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_consumers_do_not_take_threads_from_other_calls(aws, kinesis):
    """Each consumer has its own throughput; here, more subscriptions than the server has threads."""
    name = make_stream(kinesis, shards=20)
    client = aws.client("kinesis", config=Config(max_pool_connections=50, retries={"total_max_attempts": 1}))
    readers = [
        Reader(subscribe(client, consumer, shard=f"shardId-{number:012d}"))
        for consumer in (register(kinesis, name, "one-reader"), register(kinesis, name, "other-reader"))
        for number in range(20)
    ]
    began = time.monotonic()
    assert name in kinesis.list_streams(Limit=1000)["StreamNames"]
    assert time.monotonic() - began < 2
    for reader in readers:
        reader.end()
        assert reader.error is None


def test_a_server_stops_while_consumers_are_subscribed(tmp_path):
    with running_localaws(tmp_path) as aws:
        kinesis = aws.client("kinesis")
        name = make_stream(kinesis)
        reader = Reader(subscribe(kinesis, register(kinesis, name)))
        put(kinesis, name, "x")
        reader.wait_for("x")
        began = time.monotonic()
        assert aws.stop() == 0
        assert time.monotonic() - began < 4
        reader.end()


def test_a_channel_is_rejected_with_what_to_use_instead(kinesis):
    """Channels (CreateChannel) do not exist here."""
    source = {"StreamARN": arn_of(make_stream(kinesis)), "RecordConfiguration": {"RecordFormatType": "JSON"}}
    bucket = {"BucketARN": "arn:aws:s3:::lake", "ExpectedBucketOwner": "123456789012", "CompressionType": "GZIP"}
    with pytest.raises(ClientError, match="Firehose") as refused:
        kinesis.create_channel(
            ChannelName="to-s3",
            ServiceExecutionRoleARN="arn:aws:iam::123456789012:role/channel",
            StreamConfigurationList=[source],
            S3DestinationConfiguration={"StorageConfiguration": bucket},
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"
    assert kinesis.list_channels()["ChannelSummaries"] == []
