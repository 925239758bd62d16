"""Delivery streams: what they deliver, when, and under which key."""

import gzip
import io
import json
import re
import uuid
import zipfile
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from localaws.testing.delivery_streams import MIB, Lake, objects
from localaws.testing.metrics import metric_points, metric_sum
from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, settled, unique
from localaws.testing.waiting import wait_for

SPEED = 120  # a buffer interval of 60 s takes half a second


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("localaws"), speed=SPEED, kinesis_limits="off") as aws:
        yield aws


@pytest.fixture
def lake(aws):
    return Lake(aws)


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_records_of_a_kinesis_stream_arrive_in_order_under_the_evaluated_prefix(lake):
    """Pages "Sending data using Kinesis Data Streams", "Configure Amazon S3 object name format"."""
    stream = make_stream(lake.kinesis)
    name = lake.deliver(
        source=stream,
        Prefix="raw/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        CompressionFormat="GZIP",
    )
    sent = [f'{{"n": {number}}}\n' for number in range(100)]
    before = datetime.now(UTC)
    lake.kinesis.put_records(StreamName=stream, Records=[{"Data": line.encode(), "PartitionKey": "k"} for line in sent])
    (delivered,) = lake.wait_for_objects(1)
    assert gzip.decompress(delivered.body).decode() == "".join(sent)
    result = re.fullmatch(
        rf"raw/dt=(\d{{4}}-\d\d-\d\d)/hour=(\d\d)/{name}-1-(\d{{4}}(?:-\d\d){{5}})-([0-9a-f-]{{36}})\.gz", delivered.key
    )
    day, hour, stamp, suffix = result.groups()
    arrived = datetime.strptime(stamp, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    assert (day, hour) == (f"{arrived:%Y-%m-%d}", f"{arrived:%H}")
    assert before.replace(microsecond=0) <= arrived <= datetime.now(UTC)
    assert str(uuid.UUID(suffix)) == suffix


def test_records_put_directly_are_joined_as_they_are(lake):
    """Page "Understand data delivery": records are concatenated without a delimiter; default prefix YYYY/MM/dd/HH."""
    name = lake.deliver()
    assert lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"one"})["RecordId"]
    answer = lake.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"two"}, {"Data": b"three"}])
    assert (answer["FailedPutCount"], len(answer["RequestResponses"])) == (0, 2)
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.body == b"onetwothree"
    assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/\d\d/{name}-1-[0-9-]{{19}}-[0-9a-f-]{{36}}", delivered.key)


def test_a_full_buffer_is_delivered_before_its_interval_ends(lake):
    """Page "BufferingHints": whichever is satisfied first."""
    name = lake.deliver(BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 900})
    for _ in range(3):
        lake.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"x" * (MIB // 4)}] * 4)
    delivered = lake.wait_for_objects(3, timeout=5)
    assert [len(item.body) for item in delivered] == [MIB] * 3


def test_an_interval_ends_a_buffer_that_is_not_full(lake):
    """Page "BufferingHints": IntervalInSeconds; waits run at the server's speed."""
    name = lake.deliver(BufferingHints={"SizeInMBs": 128, "IntervalInSeconds": 120})
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})
    assert objects(lake.s3, lake.bucket) == []
    lake.wait_for_objects(1, timeout=120 / SPEED + 2)


def test_a_zip_holds_the_joined_records(lake):
    """Page "S3DestinationConfiguration": CompressionFormat."""
    name = lake.deliver(CompressionFormat="ZIP")
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"content"})
    (delivered,) = lake.wait_for_objects(1)
    with zipfile.ZipFile(io.BytesIO(delivered.body)) as archive:
        (member,) = archive.namelist()
        assert archive.read(member) == b"content"
    assert delivered.key.endswith(".zip")


def test_a_plain_s3_destination_delivers_too(lake):
    """Page "S3DestinationConfiguration"."""
    name = unique("plain")
    lake.firehose.create_delivery_stream(
        DeliveryStreamName=name,
        S3DestinationConfiguration={
            "RoleARN": lake.role,
            "BucketARN": f"arn:aws:s3:::{lake.bucket}",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 0},
        },
    )
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.body == b"x"
    (destination,) = lake.describe(name)["Destinations"]
    assert "ExtendedS3DestinationDescription" not in destination
    assert destination["S3DestinationDescription"]["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 0}


def test_delivery_streams_are_listed_page_by_page(lake):
    """Page "ListDeliveryStreams"."""
    names = sorted(lake.deliver() for _ in range(3))
    first = lake.firehose.list_delivery_streams(Limit=1, ExclusiveStartDeliveryStreamName=names[0])
    assert first["DeliveryStreamNames"][0] <= names[1]
    rest = lake.firehose.list_delivery_streams(Limit=1, ExclusiveStartDeliveryStreamName=names[-1])
    assert names[-1] not in rest["DeliveryStreamNames"]
    kinds = lake.firehose.list_delivery_streams(Limit=100, DeliveryStreamType="KinesisStreamAsSource")
    assert not set(names) & set(kinds["DeliveryStreamNames"])


def test_an_extension_and_a_time_zone_can_be_chosen(lake):
    """Page "ExtendedS3DestinationConfiguration": FileExtension, CustomTimeZone."""
    name = lake.deliver(
        Prefix="zone=!{timestamp:yyyy-MM-dd-HH}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        FileExtension=".json.log",
        CustomTimeZone="Pacific/Kiritimati",
    )
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})
    (delivered,) = lake.wait_for_objects(1)
    written = datetime.strptime(re.search(r"zone=([0-9-]+)/", delivered.key)[1], "%Y-%m-%d-%H").replace(tzinfo=UTC)
    ahead = (written - datetime.now(UTC)).total_seconds() / 3600
    assert 12.9 < ahead <= 14.1
    assert delivered.key.endswith(".json.log")


def test_a_delimiter_is_appended_to_each_record(lake):
    """Page "Processor": AppendDelimiterToRecord."""
    name = lake.deliver(ProcessingConfiguration=processing(("AppendDelimiterToRecord", {"Delimiter": "\\n"})))
    lake.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"a"}, {"Data": b"b"}])
    (delivered,) = lake.wait_for_objects(1)
    assert delivered.body == b"a\nb\n"


def test_records_are_partitioned_by_what_jq_finds_in_them(lake):
    """Page "Partitioning streaming data": inline parsing, de-aggregation, errors under the error prefix."""
    name = lake.deliver(
        Prefix="customer=!{partitionKeyFromQuery:customer}/year=!{partitionKeyFromQuery:year}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        DynamicPartitioningConfiguration={"Enabled": True},
        ProcessingConfiguration=processing(
            ("RecordDeAggregation", {"SubRecordType": "JSON"}),
            (
                "MetadataExtraction",
                {
                    "JsonParsingEngine": "JQ-1.6",
                    "MetadataExtractionQuery": '{customer: .customer.id, year: (.at | strftime("%Y"))}',
                },
            ),
            ("AppendDelimiterToRecord", {"Delimiter": "\\n"}),
        ),
    )
    first, second = '{"customer": {"id": 7}, "at": 1565382027}', '{"customer": {"id": "b"}, "at": 0}'
    lake.firehose.put_record_batch(
        DeliveryStreamName=name,
        Records=[{"Data": (first + second + first).encode()}, {"Data": b'{"customer": {}, "at": 0}'}, {"Data": b"no"}],
    )
    result = {item.key.rsplit("/", 1)[0]: item.body.decode() for item in lake.wait_for_objects(3)}
    assert result.pop("customer=7/year=2019") == first + "\n" + first + "\n"
    assert result.pop("customer=b/year=1970") == second + "\n"
    errors = [json.loads(line) for line in result.pop("errors/processing-failed").splitlines()]
    assert [error["rawData"] for error in errors] == ["eyJjdXN0b21lciI6IHt9LCAiYXQiOiAwfQ==", "bm8="]
    assert {"attemptsMade", "arrivalTimestamp", "errorCode", "errorMessage", "attemptEndingTimestamp"} < set(errors[0])


def test_records_go_on_being_read_after_a_reshard(lake):
    """Page "Sending data using Kinesis Data Streams": shards split and merged are followed."""
    stream = make_stream(lake.kinesis)
    lake.deliver(source=stream)
    put = lake.kinesis.put_record
    put(StreamName=stream, Data=b"before\n", PartitionKey="k")
    lake.kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127))
    settled(lake.kinesis, stream)
    for key in ("0", str(2**127)):
        put(StreamName=stream, Data=b"after\n", PartitionKey="k", ExplicitHashKey=key)
    lines = lake.wait_for_lines(3)
    assert sorted(lines) == ["after", "after", "before"]


def test_an_update_delivers_the_old_buffer_first_and_raises_the_version(lake):
    """Page "UpdateDestination"."""
    name = lake.deliver(BufferingHints={"SizeInMBs": 128, "IntervalInSeconds": 900}, Prefix="old/")
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"1"})
    update = {
        "DeliveryStreamName": name,
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {
            "Prefix": "new/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
        },
    }
    lake.firehose.update_destination(**update)
    with pytest.raises(ClientError) as stale:
        lake.firehose.update_destination(**update)
    assert code_of(stale) == "ConcurrentModificationException"
    lake.wait_for_objects(1)
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"2"})
    old, new = sorted(lake.wait_for_objects(2), key=lambda item: item.body)
    assert old.key.startswith("old/")
    assert f"/{name}-1-" in old.key
    assert new.key.startswith("new/")
    assert f"/{name}-2-" in new.key
    described = lake.describe(name)
    assert described["VersionId"] == "2"
    assert described["Destinations"][0]["ExtendedS3DestinationDescription"]["Prefix"] == "new/"


def test_a_refused_delivery_is_tried_again_and_loses_nothing(lake):
    """Page "Handle data delivery failures": Amazon S3."""
    name = lake.deliver(BucketARN=f"arn:aws:s3:::later-{lake.bucket}")
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"patient"})

    def failures():
        points = metric_points(
            lake.cloudwatch, "AWS/Firehose", "DeliveryToS3.Success", "Minimum", DeliveryStreamName=name
        )
        return any(point["Minimum"] == 0 for point in points)

    wait_for(failures, timeout=10, what="a delivery to be refused")
    lake.s3.create_bucket(Bucket=f"later-{lake.bucket}")
    (delivered,) = lake.wait_for_objects(1, bucket=f"later-{lake.bucket}", timeout=10)
    assert delivered.body == b"patient"


def test_a_refused_delivery_is_logged_where_the_destination_says(lake):
    """Page "Monitor Amazon Data Firehose using CloudWatch Logs"."""
    logs, group = lake.aws.client("logs"), unique("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="S3Delivery")
    options = {"Enabled": True, "LogGroupName": group, "LogStreamName": "S3Delivery"}
    name = lake.deliver(BucketARN=f"arn:aws:s3:::missing-{lake.bucket}", CloudWatchLoggingOptions=options)
    lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})

    def logged():
        return logs.get_log_events(logGroupName=group, logStreamName="S3Delivery")["events"]

    entry = json.loads(wait_for(logged, what="a log event")[0]["message"])
    assert entry["errorCode"] == "S3.NoSuchBucket"
    assert entry["deliveryStreamARN"].endswith(f":deliverystream/{name}")


def test_metrics_count_what_came_and_what_was_delivered(lake):
    """Page "Monitor Amazon Data Firehose with CloudWatch metrics"."""
    stream = make_stream(lake.kinesis)
    name = lake.deliver(source=stream)
    lake.kinesis.put_records(StreamName=stream, Records=[{"Data": b"x" * 10, "PartitionKey": "k"}] * 30)
    lake.wait_for_objects(1)

    def total(metric):
        return metric_sum(lake.cloudwatch, "AWS/Firehose", metric, DeliveryStreamName=name)

    wait_for(lambda: total("DeliveryToS3.Records") == 30, timeout=10, what="the metrics")
    assert (total("IncomingRecords"), total("IncomingBytes")) == (30, 300)
    assert total("DataReadFromKinesisStream.Records") == 30
    assert (total("DeliveryToS3.Bytes"), total("DeliveryToS3.Success")) == (300, 1)
    for metric in ("DeliveryToS3.DataFreshness", "KinesisMillisBehindLatest"):
        assert metric_points(lake.cloudwatch, "AWS/Firehose", metric, "Maximum", DeliveryStreamName=name)


def test_a_stream_is_described_listed_tagged_and_deleted(lake):
    """Pages "DescribeDeliveryStream", "ListDeliveryStreams", "TagDeliveryStream", "DeleteDeliveryStream"."""
    stream = make_stream(lake.kinesis)
    name = lake.deliver(source=stream, Tags=[{"Key": "a", "Value": "b"}])
    described = lake.describe(name)
    assert described["DeliveryStreamARN"] == f"arn:aws:firehose:us-east-1:123456789012:deliverystream/{name}"
    source = described["Source"]["KinesisStreamSourceDescription"]
    assert source["KinesisStreamARN"].endswith(f":stream/{stream}")
    assert name in lake.firehose.list_delivery_streams(Limit=100)["DeliveryStreamNames"]
    lake.firehose.tag_delivery_stream(DeliveryStreamName=name, Tags=[{"Key": "c", "Value": "d"}])
    lake.firehose.untag_delivery_stream(DeliveryStreamName=name, TagKeys=["a"])
    assert lake.firehose.list_tags_for_delivery_stream(DeliveryStreamName=name)["Tags"] == [{"Key": "c", "Value": "d"}]
    with pytest.raises(ClientError) as direct:
        lake.firehose.put_record(DeliveryStreamName=name, Record={"Data": b"x"})
    assert code_of(direct) == "InvalidSourceException"
    lake.firehose.delete_delivery_stream(DeliveryStreamName=name)
    with pytest.raises(ClientError) as gone:
        lake.describe(name)
    assert code_of(gone) == "ResourceNotFoundException"


def test_encryption_of_a_stream_of_direct_puts_is_switched(lake):
    """Page "StartDeliveryStreamEncryption"."""
    name = lake.deliver()
    start, stop = lake.firehose.start_delivery_stream_encryption, lake.firehose.stop_delivery_stream_encryption
    start(DeliveryStreamName=name, DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"})
    assert lake.describe(name)["DeliveryStreamEncryptionConfiguration"] == {
        "KeyType": "AWS_OWNED_CMK",
        "Status": "ENABLED",
    }
    stop(DeliveryStreamName=name)
    assert lake.describe(name)["DeliveryStreamEncryptionConfiguration"] == {"Status": "DISABLED"}


@pytest.mark.parametrize(
    ("configuration", "code", "why"),
    [
        ({"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 60}}, "ValidationException", "sizeInMBs"),
        ({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}}, "ValidationException", "intervalInSeconds"),
        ({"FileExtension": "gz"}, "ValidationException", "fileExtension"),
        ({"BufferingHints": {"SizeInMBs": 1}}, "InvalidArgumentException", "both"),
        ({"Prefix": "!{timestamp:yyyy}/"}, "InvalidArgumentException", "ErrorOutputPrefix"),
        ({"CustomTimeZone": "Mars/Base"}, "InvalidArgumentException", "time zone"),
        ({"CompressionFormat": "Snappy"}, "InvalidArgumentException", "not supported locally"),
        ({"RoleARN": "arn:aws:iam::123456789012:role/nobody"}, "InvalidArgumentException", "unable to assume role"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "InvalidArgumentException", "at least 64"),
    ],
)
def test_a_wrong_configuration_is_refused(lake, configuration, code, why):
    """Pages "ExtendedS3DestinationConfiguration", "BufferingHints"."""
    with pytest.raises(ClientError, match=why) as refused:
        lake.deliver(**configuration)
    assert code_of(refused) == code


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"Data": b"x"}] * 501, "ValidationException"),
        ([{"Data": b"x" * (1000 * 1024 + 1)}], "ValidationException"),
        ([{"Data": b"x" * (1000 * 1024)}] * 5, "InvalidArgumentException"),
    ],
    ids=["501 records", "a record over 1,000 KiB", "over 4 MiB"],
)
def test_a_batch_beyond_the_bounds_is_refused(lake, records, code):
    """Page "PutRecordBatch"."""
    name = lake.deliver()
    with pytest.raises(ClientError) as refused:
        lake.firehose.put_record_batch(DeliveryStreamName=name, Records=records)
    assert code_of(refused) == code


def test_a_second_stream_of_the_name_is_refused(lake):
    """Page "CreateDeliveryStream": ResourceInUseException."""
    name = lake.deliver()
    with pytest.raises(ClientError) as refused:
        lake.firehose.create_delivery_stream(
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": lake.role,
                "BucketARN": f"arn:aws:s3:::{unique('bucket')}",
            },
        )
    assert code_of(refused) == "ResourceInUseException"


def processing(*processors):
    """ProcessingConfiguration of (type, parameters)."""
    return {
        "Enabled": True,
        "Processors": [
            {
                "Type": kind,
                "Parameters": [{"ParameterName": name, "ParameterValue": value} for name, value in parameters.items()],
            }
            for kind, parameters in processors
        ],
    }


def test_an_idle_stream_is_read_less_and_less_often_until_records_come(lake):
    """However fast waits run, reading nothing fills no log; what is put is read at once."""
    stream = make_stream(lake.kinesis)
    lake.deliver(source=stream)
    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}"

    def reads():
        lines = lake.aws.call_log()
        return [call["time"] for call in lines if call["resource"] == arn and call["action"] == "GetRecords"]

    def rested():
        times = [datetime.fromisoformat(item) for item in reads()]
        return len(times) > 1 and (times[-1] - times[-2]).total_seconds() >= 2

    wait_for(rested, timeout=60, what="a pause of 2 s between two reads")
    lake.kinesis.put_record(StreamName=stream, Data=b"awake\n", PartitionKey="k")
    assert lake.wait_for_lines(1) == ["awake"]
