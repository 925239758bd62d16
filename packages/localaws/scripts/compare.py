"""Try what a data pipeline needs on an emulator of AWS, and print which of it works: localaws, or a moto server.

    python packages/localaws/scripts/compare.py localaws
    python packages/localaws/scripts/compare.py moto

Each probe does a thing through boto3 and looks at what it caused, not at whether the call is answered.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REGION = "us-east-1"
ACCOUNT = "123456789012"
PATIENCE_SECONDS = 15.0
_ANYONE = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "firehose.amazonaws.com"}}
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(slots=True)
class Emulator:
    """A server that is being tried; `restart` stops it and starts it on the same state."""

    endpoint: str
    key: str
    secret: str
    restart: Callable[[], None]

    def client(self, service: str, key: str = "", secret: str = "") -> Any:
        session = boto3.Session(key or self.key, secret or self.secret, region_name=REGION)
        config = Config(retries={"total_max_attempts": 1}, read_timeout=20)
        make: Any = session.client  # the stubs know each service by a literal name
        return make(service, endpoint_url=self.endpoint, config=config)


def object_events(aws: Emulator) -> bool:
    """An object that is put into a bucket is reported to its queue."""
    aws.client("s3").create_bucket(Bucket="events")
    sqs = aws.client("sqs")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"
    sender = {"Service": "s3.amazonaws.com"}
    allow = {"Effect": "Allow", "Principal": sender, "Action": "sqs:SendMessage", "Resource": arn}
    url = sqs.create_queue(QueueName="events", Attributes={"Policy": json.dumps({"Statement": [allow]})})["QueueUrl"]
    queue = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    aws.client("s3").put_bucket_notification_configuration(
        Bucket="events", NotificationConfiguration={"QueueConfigurations": [queue]}
    )
    aws.client("s3").put_object(Bucket="events", Key="new.csv", Body=b"1")
    return _eventually(lambda: "new.csv" in str(sqs.receive_message(QueueUrl=url).get("Messages")))


def shard_limits(aws: Emulator) -> bool:
    """A shard takes 1 MB a second and refuses what goes beyond."""
    kinesis = _stream(aws, "limits")
    records = [{"Data": b"x" * 100_000, "PartitionKey": "k"}] * 40
    return bool(kinesis.put_records(StreamName="limits", Records=records)["FailedRecordCount"])


def pushed_records(aws: Emulator) -> bool:
    """SubscribeToShard pushes records as they come."""
    kinesis = _stream(aws, "pushed")
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/pushed"
    consumer = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")["Consumer"]["ConsumerARN"]
    shard = kinesis.list_shards(StreamName="pushed")["Shards"][0]["ShardId"]
    kinesis.put_record(StreamName="pushed", Data=b"pushed", PartitionKey="k")
    events = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard, StartingPosition={"Type": "TRIM_HORIZON"})[
        "EventStream"
    ]
    return any(record["Data"] == b"pushed" for record in next(iter(events))["SubscribeToShardEvent"]["Records"])


def buffered_delivery(aws: Emulator) -> bool:
    """Firehose holds records until its buffer is full, then delivers one object."""
    _delivery(aws, "buffered", {})
    firehose = aws.client("firehose")
    firehose.put_record(DeliveryStreamName="buffered", Record={"Data": b"x"})
    early = aws.client("s3").list_objects_v2(Bucket="buffered")["KeyCount"]
    firehose.put_record_batch(DeliveryStreamName="buffered", Records=[{"Data": b"x" * 900_000}] * 2)
    return not early and _eventually(lambda: aws.client("s3").list_objects_v2(Bucket="buffered")["KeyCount"] == 1)


def parquet_delivery(aws: Emulator) -> bool:
    """Firehose converts JSON to Parquet by a table of Glue."""
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "parquet"})
    descriptor = {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": "s3://parquet/"}
    glue.create_table(DatabaseName="parquet", TableInput={"Name": "rows", "StorageDescriptor": descriptor})
    role = f"arn:aws:iam::{ACCOUNT}:role/parquet"
    conversion = {
        "Enabled": True,
        "SchemaConfiguration": {"RoleARN": role, "DatabaseName": "parquet", "TableName": "rows"},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }
    hints = {"SizeInMBs": 64, "IntervalInSeconds": 60}
    _delivery(aws, "parquet", {"DataFormatConversionConfiguration": conversion, "BufferingHints": hints})
    aws.client("firehose").put_record(DeliveryStreamName="parquet", Record={"Data": b'{"id": 1}'})
    s3 = aws.client("s3")

    def delivered() -> bool:
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket="parquet").get("Contents", [])]
        return bool(keys) and s3.get_object(Bucket="parquet", Key=keys[0])["Body"].read(4) == b"PAR1"

    return _eventually(delivered)


def crawled_table(aws: Emulator) -> bool:
    """A crawler of Glue makes a table of the objects that it finds."""
    aws.client("s3").create_bucket(Bucket="crawled")
    aws.client("s3").put_object(Bucket="crawled", Key="rows/a.json", Body=b'{"id": 1, "text": "a"}\n')
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "crawled"})
    role = _role(aws, "crawler", "glue.amazonaws.com")
    glue.create_crawler(
        Name="crawled", Role=role, DatabaseName="crawled", Targets={"S3Targets": [{"Path": "s3://crawled/rows/"}]}
    )
    glue.start_crawler(Name="crawled")
    return _eventually(lambda: bool(glue.get_tables(DatabaseName="crawled")["TableList"]))


def queried_objects(aws: Emulator) -> bool:
    """Athena counts the lines of an object."""
    aws.client("s3").create_bucket(Bucket="queried")
    aws.client("s3").put_object(Bucket="queried", Key="rows/a.csv", Body=b"1\n2\n3\n")
    aws.client("glue").create_database(DatabaseInput={"Name": "queried"})
    location = "create external table queried.counted (id int) row format delimited location 's3://queried/rows/'"
    _query(aws, location)
    return _query(aws, "select count(*) from queried.counted")[1:] == ["3"]


def denied_call(aws: Emulator) -> bool:
    """A user without policies may not make a bucket."""
    iam = aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    try:
        aws.client("s3", key["AccessKeyId"], key["SecretAccessKey"]).create_bucket(Bucket="denied")
    except ClientError as error:
        return error.response["Error"]["Code"] == "AccessDenied"
    return False


def fired_alarm(aws: Emulator) -> bool:
    """An alarm changes to ALARM when its metric is above the threshold."""
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="high", Namespace="probe", MetricName="value", Statistic="Maximum", Period=10, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch.put_metric_data(Namespace="probe", MetricData=[{"MetricName": "value", "Value": 5}])
    return _eventually(lambda: cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM")


def surviving_state(aws: Emulator) -> bool:
    """Buckets, objects and queues are there after a restart."""
    aws.client("s3").create_bucket(Bucket="kept")
    aws.client("s3").put_object(Bucket="kept", Key="a", Body=b"kept")
    aws.client("sqs").create_queue(QueueName="kept")
    aws.restart()
    body = aws.client("s3").get_object(Bucket="kept", Key="a")["Body"].read()
    return body == b"kept" and "kept" in str(aws.client("sqs").list_queues())


def key_value_table(aws: Emulator) -> bool:
    """DynamoDB keeps an item."""
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="items", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    dynamodb.put_item(TableName="items", Item={"id": {"S": "a"}})
    return "Item" in dynamodb.get_item(TableName="items", Key={"id": {"S": "a"}})


PROBES = (
    object_events, shard_limits, pushed_records, buffered_delivery, parquet_delivery, crawled_table, queried_objects,
    denied_call, fired_alarm, key_value_table, surviving_state,
)  # fmt: skip


def _eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def _stream(aws: Emulator, name: str) -> Any:
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return kinesis


def _role(aws: Emulator, name: str, service: str = "firehose.amazonaws.com") -> str:
    trust = {"Version": "2012-10-17", "Statement": [{**_ANYONE, "Principal": {"Service": service}}]}
    arn = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [_EVERYTHING]}
    aws.client("iam").put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    return str(arn)


def _delivery(aws: Emulator, name: str, options: dict[str, Any]) -> None:
    aws.client("s3").create_bucket(Bucket=name)
    destination = {"RoleARN": _role(aws, name), "BucketARN": f"arn:aws:s3:::{name}"}
    hints = {"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}}
    firehose = aws.client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName=name, ExtendedS3DestinationConfiguration={**destination, **hints, **options}
    )

    def active() -> bool:
        description = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        return bool(description["DeliveryStreamStatus"] == "ACTIVE")

    _eventually(active)


def _query(aws: Emulator, text: str) -> list[str]:
    """The first column of a statement's result, with its header."""
    athena = aws.client("athena")
    output = {"OutputLocation": "s3://queried/results/"}
    query = athena.start_query_execution(QueryString=text, ResultConfiguration=output)["QueryExecutionId"]

    def ended() -> bool:
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return status["State"] in ("SUCCEEDED", "FAILED")

    _eventually(ended)
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [row["Data"][0].get("VarCharValue", "") for row in rows]


@contextlib.contextmanager
def _localaws(folder: Path) -> Iterator[Emulator]:
    state = folder / "state"
    command = [sys.executable, "-m", "localaws", "serve", "--port", "0", "--state", str(state)]
    yield from _emulator([*command, "--enforce-iam", "--speed", "20"], "ready on ", state / "credentials")


@contextlib.contextmanager
def _moto(_: Path) -> Iterator[Emulator]:
    yield from _emulator([sys.executable, "-u", "-m", "moto.server", "-p", "5566"], "Running on ", None)


def _emulator(command: list[str], ready: str, credentials: Path | None) -> Iterator[Emulator]:
    running: list[subprocess.Popen[str]] = []

    def start() -> str:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(process)
        for line in process.stdout or ():
            if ready in line:
                threading.Thread(target=_drain, args=(process,), daemon=True).start()
                return line.partition(ready)[2].split()[0]
        raise SystemExit(f"{command} did not start")

    def stop() -> None:
        process = running.pop()
        process.terminate()
        process.wait(20)

    def restart() -> None:
        stop()
        emulator.endpoint = start()

    endpoint = start()
    pairs = [line.partition("=") for line in credentials.read_text().splitlines()] if credentials else []
    keys = {name.strip(): value.strip() for name, _, value in pairs}
    emulator = Emulator(
        endpoint, keys.get("aws_access_key_id", "key"), keys.get("aws_secret_access_key", "secret"), restart
    )
    try:
        yield emulator
    finally:
        stop()


def _drain(process: "subprocess.Popen[str]") -> None:
    """Read what a server logs, which would wait for a reader otherwise."""
    for _ in process.stdout or ():
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emulator", choices=("localaws", "moto"))
    chosen = {"localaws": _localaws, "moto": _moto}[parser.parse_args().emulator]
    with tempfile.TemporaryDirectory() as folder, chosen(Path(folder)) as aws:
        for probe in PROBES:
            try:
                answer = "yes" if probe(aws) else "no"
            except (BotoCoreError, ClientError, LookupError) as error:
                answer = f"no ({type(error).__name__}: {str(error)[:100]})"
            print(f"{(probe.__doc__ or '').splitlines()[0]} {answer}", flush=True)


if __name__ == "__main__":
    main()
