"""What a shard takes and gives per second, and what is refused beyond it."""

import pytest
from botocore.exceptions import ClientError

from localaws.services.kinesis.streams.limits import LIMITS_TAG, ShardLimits
from localaws.testing.metrics import metric_sum
from localaws.testing.server import running_localaws
from localaws.testing.streams import iterator, make_stream, settled
from localaws.testing.waiting import wait_for

MIB = 1024 * 1024


NARROW = "0.05"  # of AWS's limits: 50 records and 51.2 KiB a second, a read in four seconds. One call goes beyond them
SMALL = {"Data": b"x", "PartitionKey": "k"}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return ShardLimits(1.0, clock)


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=60, kinesis_limits=NARROW) as aws:
        yield aws


@pytest.fixture(scope="module")
def kinesis(aws):
    return aws.client("kinesis")


@pytest.fixture(scope="module")
def unlimited(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=60, kinesis_limits="off") as aws:
        yield aws.client("kinesis")


def admitted(admit, times):
    return sum(admit() for _ in range(times))


def test_a_shard_takes_a_thousand_records_a_second(limits, clock):
    """Page "Quotas and limits"."""
    assert admitted(lambda: limits.admit_write(1), 1500) == 1000
    clock.now = 0.25
    assert admitted(lambda: limits.admit_write(1), 1500) == 250


def test_a_shard_takes_a_mebibyte_a_second(limits, clock):
    """Page "Quotas and limits"."""
    assert admitted(lambda: limits.admit_write(MIB // 4), 5) == 4
    clock.now = 0.5
    assert admitted(lambda: limits.admit_write(MIB // 4), 5) == 2


def test_a_shard_is_read_five_times_a_second(limits, clock):
    """Page "GetRecords": five transactions per second per shard."""
    assert admitted(limits.admit_read, 8) == 5
    clock.now = 0.4
    assert admitted(limits.admit_read, 8) == 2


def test_a_large_read_is_waited_out_at_two_mebibytes_a_second(limits, clock):
    """Page "GetRecords": after a large read the next ones throw until two megabytes a second are kept."""
    assert limits.admit_read()
    limits.count_read(10 * MIB)
    clock.now = 3.99
    assert not limits.admit_read()
    clock.now = 4.01
    assert limits.admit_read()


def test_records_beyond_the_limit_fail_by_index(kinesis):
    """Page "PutRecords": the reply is aligned; ProvisionedThroughputExceededException with the message's form."""
    name = make_stream(kinesis)
    records = [{"Data": str(number).encode(), "PartitionKey": "k"} for number in range(500)]
    answer = kinesis.put_records(StreamName=name, Records=records)
    refused = [record for record in answer["Records"] if "ErrorCode" in record]
    assert answer["FailedRecordCount"] == len(refused) > 0
    assert refused[0] == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": f"Rate exceeded for shard shardId-000000000000 in stream {name} under account 123456789012.",
    }
    taken = [str(index) for index, record in enumerate(answer["Records"]) if "SequenceNumber" in record]
    read = kinesis.get_records(ShardIterator=iterator(kinesis, name))["Records"]
    assert [record["Data"].decode() for record in read] == taken


def test_bytes_beyond_the_limit_are_refused_and_taken_later(kinesis):
    """Page "Quotas and limits": 1 MB/s per shard."""
    name = make_stream(kinesis)
    large = {"Data": b"x" * (MIB // 50), "PartitionKey": "k"}
    assert kinesis.put_records(StreamName=name, Records=[large] * 20)["FailedRecordCount"] > 0

    def taken():
        return kinesis.put_records(StreamName=name, Records=[large])["FailedRecordCount"] == 0

    wait_for(taken, what="the shard to take records again")


def test_shards_are_limited_one_by_one(kinesis):
    """Page "Quotas and limits": a hot shard does not hold up the others."""
    name = make_stream(kinesis, shards=2)
    hot = [{**SMALL, "ExplicitHashKey": "0"}] * 450
    cold = {**SMALL, "ExplicitHashKey": str(2**127)}
    records = kinesis.put_records(StreamName=name, Records=[*hot, cold])["Records"]
    assert "ErrorCode" in records[449]
    assert records[450]["ShardId"] == "shardId-000000000001"


def test_reads_beyond_the_limit_are_refused(kinesis):
    """Page "GetRecords": ProvisionedThroughputExceededException."""
    name = make_stream(kinesis)
    token = iterator(kinesis, name)

    def read_on():
        for _ in range(100):
            kinesis.get_records(ShardIterator=token)

    with pytest.raises(ClientError) as refused:
        read_on()
    assert refused.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"


def test_limits_can_be_switched_off(unlimited):
    """The setting LOCALAWS_KINESIS_LIMITS=off."""
    name = make_stream(unlimited)
    records = [{"Data": b"x" * 8000, "PartitionKey": "k"}] * 500
    assert [unlimited.put_records(StreamName=name, Records=records)["FailedRecordCount"] for _ in range(4)] == [0] * 4


def test_a_tag_sets_the_limits_of_one_stream(kinesis):
    """The tag localaws:kinesis-limits goes before the setting of the server."""
    name = make_stream(kinesis, Tags={LIMITS_TAG: "off"})
    records = [SMALL] * 450
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0
    kinesis.add_tags_to_stream(StreamName=name, Tags={LIMITS_TAG: "0.1"})
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] >= 300
    kinesis.remove_tags_from_stream(StreamName=name, TagKeys=[LIMITS_TAG])
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] >= 390


def test_a_tag_that_sets_no_limits_is_refused(kinesis):
    with pytest.raises(ClientError, match=LIMITS_TAG):
        kinesis.create_stream(StreamName="mistagged", ShardCount=1, Tags={LIMITS_TAG: "many"})


def test_an_on_demand_stream_grows_with_its_traffic(unlimited):
    """Page "Choose the right mode": up to double the previous peak."""
    name = make_stream(unlimited, shards=None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    large = [{"Data": b"x" * (MIB * 9 // 10), "PartitionKey": str(number)} for number in range(5)]

    def grown():
        unlimited.put_records(StreamName=name, Records=large)
        summary = unlimited.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return summary["OpenShardCount"] > 4

    wait_for(grown, timeout=20, what="the stream to grow")
    settled(unlimited, name)
    small = [{"Data": b"x", "PartitionKey": str(number)} for number in range(500)]
    records = unlimited.put_records(StreamName=name, Records=small)["Records"]
    assert len({record["ShardId"] for record in records}) > 4


def test_metrics_say_what_was_taken_and_what_was_refused(aws, kinesis):
    """Page "Monitoring the Kinesis Data Streams service with Amazon CloudWatch"."""
    name = make_stream(kinesis)
    records = [{"Data": b"x" * 10, "PartitionKey": "k"}] * 500
    refused = sum(kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] for _ in range(4))

    def total(metric):
        return metric_sum(aws.client("cloudwatch"), "AWS/Kinesis", metric, StreamName=name)

    wait_for(lambda: total("PutRecords.TotalRecords") == 2000, timeout=10, what="the metrics")
    assert total("IncomingRecords") == 2000 - refused
    assert total("IncomingBytes") == (2000 - refused) * 11
    assert total("WriteProvisionedThroughputExceeded") == total("PutRecords.ThrottledRecords") == refused > 0
