"""Event notifications: what S3 reports to queues and topics. Rules from the Amazon S3 user guide."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from localaws.core.cloud import ACCOUNT, REGION
from localaws.testing.delivery_streams import MIB, Lake
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for

CREATED = "s3:ObjectCreated:*"
REMOVED = "s3:ObjectRemoved:*"
FULL_BUFFER = {"SizeInMBs": 1, "IntervalInSeconds": 900}  # delivered when it is full


def policy(arn, bucket, **condition):
    """The policy of "Granting permissions to publish event notification messages to a destination"."""
    kind = arn.split(":")[2]
    about = {"aws:SourceAccount": ACCOUNT, **condition}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage" if kind == "sqs" else "sns:Publish",
        "Resource": arn,
        "Condition": {"StringEquals": about, "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Queue:
    """A queue that `bucket` may send to, and what arrived in it."""

    def __init__(self, aws, bucket, attributes=None):
        self.sqs = aws.client("sqs")
        name = f"events-{uuid.uuid4().hex}"
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        attributes = {"Policy": policy(self.arn, bucket)} if attributes is None else attributes
        self.url = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.bodies = []

    def configuration(self, *events, identifier="exports", **filters):
        rules = [{"Name": name, "Value": value} for name, value in filters.items()]
        entry = {"Id": identifier, "QueueArn": self.arn, "Events": list(events)}
        return {**entry, "Filter": {"Key": {"FilterRules": rules}}} if rules else entry

    def receive(self):
        """Messages that arrived since, each deleted."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            self.bodies.append(json.loads(message["Body"]))
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return self.bodies

    def records(self, count):
        """The records of events so far, once there are that many."""

        def arrived():
            records = [record for body in self.receive() for record in body.get("Records", ())]
            return records if len(records) >= count else None

        return wait_for(arrived, what=f"{count} events")


@pytest.fixture
def queue(aws, bucket):
    return Queue(aws, bucket)


def configure(s3, bucket, *queues, **other):
    configuration = {**({"QueueConfigurations": list(queues)} if queues else {}), **other}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def refusal(s3, bucket, *queues, **other):
    with pytest.raises(ClientError) as error:
        configure(s3, bucket, *queues, **other)
    return error.value.response["Error"]


def test_an_object_is_reported_in_the_documented_form(s3, bucket, queue):
    """Event message structure", version 2.1: keys are URL-encoded."""
    configure(s3, bucket, queue.configuration(CREATED))
    s3.put_object(Bucket=bucket, Key="rankings/run=a b/ä+1.csv", Body=b"four")
    (record,) = queue.records(1)
    assert (record["eventVersion"], record["eventSource"], record["awsRegion"]) == ("2.1", "aws:s3", REGION)
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["configurationId"] == "exports"
    assert record["s3"]["bucket"] == {
        "name": bucket,
        "ownerIdentity": {"principalId": ACCOUNT},
        "arn": f"arn:aws:s3:::{bucket}",
    }
    described = record["s3"]["object"]
    assert described["key"] == "rankings/run%3Da+b/%C3%A4%2B1.csv"
    etag = s3.head_object(Bucket=bucket, Key="rankings/run=a b/ä+1.csv")["ETag"].strip('"')
    assert (described["size"], described["eTag"]) == (4, etag)
    assert "versionId" not in described
    int(described["sequencer"], 16)


def test_a_new_configuration_is_tried_with_a_test_event(s3, bucket, queue):
    configure(s3, bucket, queue.configuration(CREATED))
    body = wait_for(lambda: queue.receive() and queue.bodies[0], what="the test event")
    assert (body["Service"], body["Event"], body["Bucket"]) == ("Amazon S3", "s3:TestEvent", bucket)
    assert {"Time", "RequestId", "HostId"} <= body.keys()


def test_only_matching_keys_and_events_are_reported(s3, bucket, queue):
    """Configuring event notifications using object key name filtering"."""
    configure(s3, bucket, queue.configuration(CREATED, prefix="rankings/", suffix="manifest.json"))
    for key in ("rankings/a/manifest.json", "other/manifest.json", "rankings/a/rows.csv", "rankings/b/manifest.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key="rankings/a/manifest.json")
    s3.put_object(Bucket=bucket, Key="rankings/last/manifest.json", Body=b"")
    keys = [record["s3"]["object"]["key"] for record in queue.records(3)]
    assert keys == [f"rankings/{name}/manifest.json" for name in ("a", "b", "last")]


def test_every_way_to_make_or_remove_an_object_has_its_event(s3, bucket, queue):
    """Supported event types for SQS, SNS, and Lambda"."""
    configure(s3, bucket, queue.configuration(CREATED, REMOVED, "s3:ObjectTagging:*"))
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"c")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="c", UploadId=upload, MultipartUpload=parts)
    s3.put_object_tagging(Bucket=bucket, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket=bucket, Key="a")
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_object(Bucket=bucket, Key="absent")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    marker = s3.delete_object(Bucket=bucket, Key="b")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="b", VersionId=marker)
    records = queue.records(8)
    assert [(record["eventName"], record["s3"]["object"]["key"]) for record in records] == [
        ("ObjectCreated:Put", "a"),
        ("ObjectCreated:Copy", "b"),
        ("ObjectCreated:CompleteMultipartUpload", "c"),
        ("ObjectTagging:Put", "a"),
        ("ObjectTagging:Delete", "a"),
        ("ObjectRemoved:Delete", "a"),
        ("ObjectRemoved:DeleteMarkerCreated", "b"),
        ("ObjectRemoved:Delete", "b"),
    ]
    assert [record["s3"]["object"]["versionId"] for record in records[-2:]] == [marker, marker]
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert sequencers == sorted(sequencers)


def test_a_topic_passes_events_on(aws, s3, bucket, queue):
    arn = aws.client("sns").create_topic(Name=f"topic-{uuid.uuid4().hex}")["TopicArn"]
    topic = {"Id": "t", "TopicArn": arn, "Events": [CREATED]}
    assert "validate" in refusal(s3, bucket, TopicConfigurations=[topic])["Message"]
    aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy(arn, bucket))
    aws.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn)
    configure(s3, bucket, TopicConfigurations=[topic])
    s3.put_object(Bucket=bucket, Key="a", Body=b"")

    def notified():
        messages = [json.loads(body["Message"]) for body in queue.receive()]
        return [message for message in messages if "Records" in message]

    (message,) = wait_for(notified, what="the notification")
    assert message["Records"][0]["s3"]["object"]["key"] == "a"


@pytest.mark.parametrize("source", [{}, {"aws:SourceAccount": "999999999999"}])
def test_a_queue_whose_policy_does_not_allow_s3_is_refused(aws, s3, bucket, source):
    """Granting permissions to publish event notification messages to a destination"."""
    closed = Queue(aws, bucket, {})
    if source:
        rules = {"Policy": policy(closed.arn, bucket, **source)}
        closed.sqs.set_queue_attributes(QueueUrl=closed.url, Attributes=rules)
    error = refusal(s3, bucket, closed.configuration(CREATED))
    assert error["Code"] == "InvalidArgument"
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert s3.get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations") is None
    assert closed.receive() == []


def test_objects_that_firehose_delivers_are_reported(aws, s3):
    lake = Lake(aws)
    queue = Queue(aws, lake.bucket)
    configure(s3, lake.bucket, queue.configuration(CREATED, prefix="raw/"))
    name = lake.deliver(Prefix="raw/", ErrorOutputPrefix="errors/", BufferingHints=FULL_BUFFER)
    lake.firehose.put_record_batch(DeliveryStreamName=name, Records=[{"Data": b"x" * (MIB // 2)}] * 2)
    (record,) = queue.records(1)
    assert (record["eventName"], record["s3"]["object"]["size"]) == ("ObjectCreated:Put", MIB)
    assert f"/{name}-1-" in record["s3"]["object"]["key"]


def test_objects_that_athena_writes_are_reported(aws, s3, bucket, queue):
    configure(s3, bucket, queue.configuration(CREATED, suffix=".csv"))
    output = {"OutputLocation": f"s3://{bucket}/results/"}
    query = aws.client("athena").start_query_execution(QueryString="select 1", ResultConfiguration=output)
    (record,) = queue.records(1)
    assert record["s3"]["object"]["key"] == f"results/{query['QueryExecutionId']}.csv"


def test_a_permission_that_is_withdrawn_loses_events_and_nothing_else(s3, bucket, queue):
    configure(s3, bucket, queue.configuration(CREATED))
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy(queue.arn, "another")})
    s3.put_object(Bucket=bucket, Key="lost", Body=b"")
    queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy(queue.arn, bucket)})

    def put_again():
        s3.put_object(Bucket=bucket, Key="seen", Body=b"")
        records = [record for body in queue.receive() for record in body.get("Records", ())]
        return [record["s3"]["object"]["key"] for record in records if record["s3"]["object"]["key"] == "seen"]

    assert wait_for(put_again, what="an event after the permission is back")


def test_the_configuration_is_returned_replaced_and_removed(s3, bucket, queue):
    """PutBucketNotificationConfiguration": it replaces the existing configuration; an empty one turns it off."""
    configure(s3, bucket, queue.configuration(CREATED, prefix="rankings/"))
    stored = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    rule = {"Name": "Prefix", "Value": "rankings/"}
    assert stored == [
        {"Id": "exports", "QueueArn": queue.arn, "Events": [CREATED], "Filter": {"Key": {"FilterRules": [rule]}}}
    ]
    configure(s3, bucket)
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"Events": ["s3:ObjectCreated:Nothing"]}, "event is not supported"),
        ({"QueueArn": "no-arn"}, "ARN"),
        ({"QueueArn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:there"}, "region"),
        ({"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:absent"}, "Unable to validate"),
        ({"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:ordered.fifo"}, "Unable to validate"),
        ({"Filter": {"Key": {"FilterRules": [{"Name": "middle", "Value": "x"}]}}}, "prefix or suffix"),
    ],
)
def test_an_invalid_configuration_is_refused(s3, bucket, queue, change, part):
    error = refusal(s3, bucket, {**queue.configuration(CREATED), **change})
    assert error["Code"] == "InvalidArgument"
    assert part in error["Message"]


def test_rules_that_overlap_are_refused(s3, bucket, queue):
    """Examples of invalid configurations with overlapping filters"."""
    wide = queue.configuration(CREATED, identifier="wide", prefix="rank")
    narrow = queue.configuration("s3:ObjectCreated:Put", identifier="narrow", prefix="rankings/")
    assert "ambiguously" in refusal(s3, bucket, wide, narrow)["Message"]
    configure(s3, bucket, wide, {**narrow, "Events": [REMOVED]})


def test_events_that_were_not_delivered_are_delivered_after_a_restart(tmp_path):
    """What was acknowledged is reported at least once, whichever moment the server is killed at."""
    with running_localaws(tmp_path) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="exports")
        queue = Queue(aws, "exports")
        configure(s3, "exports", queue.configuration(CREATED))
        keys = [f"object-{number}" for number in range(30)]
        for key in keys:
            s3.put_object(Bucket="exports", Key=key, Body=b"")
        aws.kill()
    with running_localaws(tmp_path) as aws:
        queue.sqs = aws.client("sqs")
        queue.url = queue.sqs.get_queue_url(QueueName=queue.arn.rpartition(":")[2])["QueueUrl"]

        def reported():
            records = [record for body in queue.receive() for record in body.get("Records", ())]
            return {record["s3"]["object"]["key"] for record in records} == set(keys)

        assert wait_for(reported, what="every event")


def test_a_bucket_that_is_made_again_has_no_configuration(s3, bucket, queue):
    configure(s3, bucket, queue.configuration(CREATED))
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_the_call_log_shows_what_s3_did_in_its_own_name(aws, s3, bucket, queue):
    configure(s3, bucket, queue.configuration(CREATED))
    lines = [line for line in aws.call_log() if line["resource"] == queue.arn and line["principal"].startswith("s3.")]
    assert lines[-1]["action"] == "SendMessage"
    assert lines[-1]["decision"] == "allowed"
