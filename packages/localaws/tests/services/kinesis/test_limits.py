"""What a shard takes and gives per second, and what is refused beyond it."""

import pytest
from botocore.exceptions import ClientError

from localaws.testing.metrics import metric_sum
from localaws.testing.server import running_localaws
from localaws.testing.streams import iterator, make_stream, read_all, settled
from localaws.testing.waiting import wait_for

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=60) as aws:
        yield aws


@pytest.fixture(scope="module")
def kinesis(aws):
    return aws.client("kinesis")


def test_more_than_a_thousand_records_a_second_fail_by_index(kinesis):
    """Page "PutRecords": the reply is aligned; ProvisionedThroughputExceededException with the message's form."""
    name = make_stream(kinesis)
    records = [{"Data": str(number).encode(), "PartitionKey": "k"} for number in range(500)]
    answers = [kinesis.put_records(StreamName=name, Records=records) for _ in range(4)]
    refused = [
        (call, index)
        for call, answer in enumerate(answers)
        for index, record in enumerate(answer["Records"])
        if "ErrorCode" in record
    ]
    assert answers[0]["FailedRecordCount"] == 0
    assert sum(answer["FailedRecordCount"] for answer in answers) == len(refused) > 0
    call, index = refused[0]
    assert answers[call]["Records"][index] == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": f"Rate exceeded for shard shardId-000000000000 in stream {name} under account 123456789012.",
    }
    taken = [
        str(index) for answer in answers for index, record in enumerate(answer["Records"]) if "SequenceNumber" in record
    ]
    assert [record["Data"].decode() for record in read_all(kinesis, name)["shardId-000000000000"]] == taken


def test_more_than_a_mebibyte_a_second_is_refused_and_taken_later(kinesis):
    """Page "Quotas and limits": 1 MB/s per shard."""
    name = make_stream(kinesis)
    large = {"StreamName": name, "Data": b"x" * (MIB * 9 // 10), "PartitionKey": "k"}
    kinesis.put_record(**large)
    with pytest.raises(ClientError) as refused:
        kinesis.put_record(**large)
    assert refused.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"

    def taken():
        return kinesis.put_records(StreamName=name, Records=[{"Data": large["Data"], "PartitionKey": "k"}])

    wait_for(lambda: taken()["FailedRecordCount"] == 0, timeout=5, what="the shard to take records again")


def test_shards_are_limited_one_by_one(kinesis):
    """Page "Quotas and limits": a hot shard does not hold up the others."""
    name = make_stream(kinesis, shards=2)
    hot = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}] * 500
    answers = [kinesis.put_records(StreamName=name, Records=hot) for _ in range(4)]
    assert answers[-1]["FailedRecordCount"] > 0
    cold = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": str(2**127)}] * 500
    assert kinesis.put_records(StreamName=name, Records=cold)["FailedRecordCount"] == 0


def test_a_shard_is_read_five_times_a_second(kinesis):
    """Page "GetRecords": five transactions per second per shard."""
    name = make_stream(kinesis)
    token = iterator(kinesis, name)
    for _ in range(5):
        kinesis.get_records(ShardIterator=token)

    def read_on():
        for _ in range(3):
            kinesis.get_records(ShardIterator=token)

    with pytest.raises(ClientError) as refused:
        read_on()
    assert refused.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"


def test_a_large_read_is_waited_out_at_two_mebibytes_a_second(kinesis):
    """Page "GetRecords": after a large read the next ones throw until two megabytes a second are kept."""
    name = make_stream(kinesis)
    record = [{"Data": b"x" * MIB, "PartitionKey": "k"}]
    for _ in range(4):
        wait_for(
            lambda: kinesis.put_records(StreamName=name, Records=record)["FailedRecordCount"] == 0,
            timeout=5,
            what="the shard to take a mebibyte",
        )
    token = iterator(kinesis, name)
    assert len(kinesis.get_records(ShardIterator=token)["Records"]) == 4
    with pytest.raises(ClientError) as refused:
        kinesis.get_records(ShardIterator=token)
    assert refused.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"


def test_an_on_demand_stream_grows_with_its_traffic(kinesis):
    """Page "Choose the right mode": up to double the previous peak."""
    name = make_stream(kinesis, shards=None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    records = [{"Data": b"x", "PartitionKey": str(number)} for number in range(500)]

    def grown():
        kinesis.put_records(StreamName=name, Records=records)
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return summary["OpenShardCount"] > 4

    wait_for(grown, timeout=20, what="the stream to grow")
    settled(kinesis, name)
    spread = {
        record["ShardId"]
        for record in kinesis.put_records(StreamName=name, Records=records)["Records"]
        if "ShardId" in record
    }
    assert len(spread) > 4


def test_limits_can_be_switched_off(tmp_path):
    """The setting LOCALAWS_KINESIS_LIMITS=off."""
    with running_localaws(tmp_path, speed=60, kinesis_limits="off") as aws:
        kinesis = aws.client("kinesis")
        name = make_stream(kinesis)
        records = [{"Data": b"x" * 8000, "PartitionKey": "k"}] * 500
        assert [kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] for _ in range(4)] == [0] * 4


def test_metrics_say_what_was_taken_and_what_was_refused(aws, kinesis):
    """Page "Monitoring the Kinesis Data Streams service with Amazon CloudWatch"."""
    name = make_stream(kinesis)
    records = [{"Data": b"x" * 10, "PartitionKey": "k"}] * 500
    answers = [kinesis.put_records(StreamName=name, Records=records) for _ in range(4)]
    refused = sum(answer["FailedRecordCount"] for answer in answers)

    def total(metric):
        return metric_sum(aws.client("cloudwatch"), "AWS/Kinesis", metric, StreamName=name)

    wait_for(lambda: total("PutRecords.TotalRecords") == 2000, timeout=10, what="the metrics")
    assert total("IncomingRecords") == 2000 - refused
    assert total("IncomingBytes") == (2000 - refused) * 11
    assert total("WriteProvisionedThroughputExceeded") == total("PutRecords.ThrottledRecords") == refused > 0
