"""Writing and reading records, as the Kinesis API reference describes it."""

import hashlib
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from localaws.testing.server import running_localaws
from localaws.testing.streams import iterator, make_stream, read_all, settled
from localaws.testing.waiting import wait_for

HALF = 2**127
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def kinesis(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=10, kinesis_limits="off") as aws:
        yield aws.client("kinesis")


def code_of(error):
    return error.value.response["Error"]["Code"]


def put(kinesis, name, *texts, key="k"):
    records = [{"Data": text.encode(), "PartitionKey": key} for text in texts]
    return kinesis.put_records(StreamName=name, Records=records)["Records"]


def texts(records):
    return [record["Data"].decode() for record in records]


def test_a_record_goes_to_the_shard_of_its_partition_keys_md5(kinesis):
    """Page "PutRecord": an MD5 hash function maps partition keys to 128-bit integers."""
    name = make_stream(kinesis, shards=2)
    for key in ("a", "b", "c", "d", "é", "日本"):
        shard = kinesis.put_record(StreamName=name, Data=b"x", PartitionKey=key)["ShardId"]
        upper = int.from_bytes(hashlib.md5(key.encode()).digest()) >= HALF
        assert shard == f"shardId-00000000000{int(upper)}"


def test_an_explicit_hash_key_overrides_the_partition_key(kinesis):
    """Page "PutRecord": ExplicitHashKey."""
    name = make_stream(kinesis, shards=2)
    answers = [
        kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(key))["ShardId"]
        for key in (0, HALF - 1, HALF, 2 * HALF - 1)
    ]
    assert answers == ["shardId-000000000000"] * 2 + ["shardId-000000000001"] * 2
    with pytest.raises(ClientError) as refused:
        kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="k", ExplicitHashKey=str(2 * HALF))
    assert code_of(refused) == "InvalidArgumentException"


def test_sequence_numbers_have_aws_form_and_grow_within_a_shard(kinesis):
    """Page "Kinesis Data Streams terminology and concepts": sequence number."""
    name = make_stream(kinesis)
    numbers = [answer["SequenceNumber"] for answer in put(kinesis, name, *"abcdef")]
    numbers += [answer["SequenceNumber"] for answer in put(kinesis, name, "g")]
    assert all(len(number) == 56 and number.startswith("49") for number in numbers)
    assert numbers == sorted(numbers, key=int)
    assert len(set(numbers)) == 7
    assert [record["SequenceNumber"] for record in read_all(kinesis, name)["shardId-000000000000"]] == numbers


def test_each_iterator_type_begins_where_its_page_says(kinesis):
    """Page "GetShardIterator"."""
    name = make_stream(kinesis)
    numbers = [answer["SequenceNumber"] for answer in put(kinesis, name, "a", "b", "c")]

    def read(kind, **options):
        return texts(kinesis.get_records(ShardIterator=iterator(kinesis, name, kind=kind, **options))["Records"])

    assert read("TRIM_HORIZON") == ["a", "b", "c"]
    assert read("AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["b", "c"]
    assert read("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == ["c"]
    assert read("AT_TIMESTAMP", Timestamp=datetime(2001, 1, 1, tzinfo=UTC)) == ["a", "b", "c"]
    latest = iterator(kinesis, name, kind="LATEST")
    assert texts(kinesis.get_records(ShardIterator=latest)["Records"]) == []
    put(kinesis, name, "d")
    assert texts(kinesis.get_records(ShardIterator=latest)["Records"]) == ["d"]


def test_at_timestamp_begins_with_the_first_record_that_arrived_then(kinesis):
    """Page "GetShardIterator": Timestamp."""
    name = make_stream(kinesis)
    put(kinesis, name, "a", "b")
    first = kinesis.get_records(ShardIterator=iterator(kinesis, name))["Records"][-1]["ApproximateArrivalTimestamp"]
    wait_for(lambda: datetime.now(UTC) > first, what="the clock to move on")
    later = datetime.now(UTC)
    put(kinesis, name, "c", "d")
    token = iterator(
        kinesis, name, kind="AT_TIMESTAMP", Timestamp=later.replace(microsecond=later.microsecond // 1000 * 1000)
    )
    assert texts(kinesis.get_records(ShardIterator=token)["Records"]) == ["c", "d"]


def test_reading_goes_on_page_by_page_and_says_how_far_behind(kinesis):
    """Page "GetRecords": Limit, MillisBehindLatest."""
    name = make_stream(kinesis)
    put(kinesis, name, *"abc")
    first = kinesis.get_records(ShardIterator=iterator(kinesis, name), Limit=2)
    assert texts(first["Records"]) == ["a", "b"]
    second = kinesis.get_records(ShardIterator=first["NextShardIterator"], Limit=2)
    assert texts(second["Records"]) == ["c"]
    assert second["MillisBehindLatest"] == 0


def test_a_closed_shard_ends_and_names_its_children(kinesis):
    """Page "GetRecords": NextShardIterator null at the end of a closed shard; ChildShards."""
    name = make_stream(kinesis)
    put(kinesis, name, "before")
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(HALF))
    settled(kinesis, name)
    put(kinesis, name, "after")
    answer = kinesis.get_records(ShardIterator=iterator(kinesis, name))
    assert texts(answer["Records"]) == ["before"]
    assert "NextShardIterator" not in answer
    assert [child["ShardId"] for child in answer["ChildShards"]] == ["shardId-000000000001", "shardId-000000000002"]
    result = read_all(kinesis, name)
    assert texts(result["shardId-000000000001"] + result["shardId-000000000002"]) == ["after"]


def test_a_foreign_iterator_or_sequence_number_is_refused(kinesis):
    """Pages "GetRecords", "GetShardIterator": InvalidArgumentException."""
    name, other = make_stream(kinesis), make_stream(kinesis, shards=2)
    with pytest.raises(ClientError) as bad_iterator:
        kinesis.get_records(ShardIterator="AAAAAAAAAAHn0lYXJk")
    assert code_of(bad_iterator) == "InvalidArgumentException"
    number = kinesis.put_record(StreamName=other, Data=b"x", PartitionKey="k", ExplicitHashKey=str(HALF))
    with pytest.raises(ClientError) as bad_number:
        iterator(kinesis, name, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number["SequenceNumber"])
    assert code_of(bad_number) == "InvalidArgumentException"
    with pytest.raises(ClientError) as no_shard:
        iterator(kinesis, name, shard="shardId-000000000009")
    assert code_of(no_shard) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"Data": b"x", "PartitionKey": "k"}] * 501, "ValidationException"),
        ([{"Data": b"x" * (MIB + 1), "PartitionKey": "k"}], "ValidationException"),
        ([{"Data": b"x" * MIB, "PartitionKey": "k"}] * 5, "InvalidArgumentException"),
        ([{"Data": b"x", "PartitionKey": "k" * 257}], "ValidationException"),
    ],
    ids=["501 records", "a record over 1 MiB", "5 MiB and the keys", "a key of 257 characters"],
)
def test_a_call_beyond_the_bounds_is_refused_as_a_whole(kinesis, records, code):
    """Page "PutRecords": 500 records, 1 MiB a record, 5 MiB a call; partition keys of 256 characters."""
    name = make_stream(kinesis)
    with pytest.raises(ClientError) as refused:
        kinesis.put_records(StreamName=name, Records=records)
    assert code_of(refused) == code
    assert read_all(kinesis, name) == {"shardId-000000000000": []}


def test_a_call_at_the_bounds_is_taken(kinesis):
    """Page "PutRecords"."""
    name = make_stream(kinesis)
    records = [{"Data": b"x" * MIB, "PartitionKey": "k"}] * 4 + [{"Data": b"y", "PartitionKey": "k"}] * 496
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


@pytest.mark.parametrize(("more", "code"), [(0, None), (1, "InvalidArgumentException")])
def test_a_call_is_taken_up_to_its_last_byte(kinesis, more, code):
    """Page "PutRecords": 5 MiB, partition keys included."""
    name = make_stream(kinesis, shards=5)
    entries = [(MIB - 1, "k")] * 4 + [(MIB - 2 + more, "kk")]
    records = [
        {"Data": b"x" * size, "PartitionKey": key, "ExplicitHashKey": str(number << 125)}
        for number, (size, key) in enumerate(entries)
    ]
    if code is None:
        assert len(kinesis.put_records(StreamName=name, Records=records)["Records"]) == 5
        return
    with pytest.raises(ClientError) as refused:
        kinesis.put_records(StreamName=name, Records=records)
    assert code_of(refused) == code


def test_any_bytes_come_back_as_they_were(kinesis):
    """Page "Record": Data is a blob."""
    name = make_stream(kinesis)
    blobs = [bytes(range(256)), "été 日本 🎉".encode(), b"\n", b"\x00" * 1000]
    kinesis.put_records(StreamName=name, Records=[{"Data": blob, "PartitionKey": "é"} for blob in blobs])
    records = read_all(kinesis, name)["shardId-000000000000"]
    assert [record["Data"] for record in records] == blobs
    assert records[0]["PartitionKey"] == "é"
