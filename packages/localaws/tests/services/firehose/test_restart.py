"""What was acknowledged outlives the server: a clean stop, and a kill."""

import itertools
import threading

from botocore.exceptions import BotoCoreError, ClientError

from localaws.testing.delivery_streams import Lake, objects
from localaws.testing.patience import patient
from localaws.testing.server import running_localaws
from localaws.testing.streams import make_stream, read_all
from localaws.testing.waiting import wait_for


def put_lines(lake, stream, start, count):
    records = [{"Data": f"{number}\n".encode(), "PartitionKey": str(number)} for number in range(start, start + count)]
    assert lake.kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"] == 0


def again(lake, aws):
    """The same bucket, seen through another server on the same state."""
    seen = Lake(aws)
    seen.bucket = lake.bucket
    return seen


def test_a_killed_server_loses_neither_records_nor_deliveries(tmp_path):
    """Page "Understand data delivery": at least once."""
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = Lake(aws)
        stream = make_stream(lake.kinesis, shards=2)
        name = lake.deliver(source=stream)
        direct = lake.deliver()
        put_lines(lake, stream, 0, 200)
        lake.wait_for_lines(200)
        put_lines(lake, stream, 200, 300)
        lake.firehose.put_record(DeliveryStreamName=direct, Record={"Data": b"direct\n"})
        aws.kill()
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = again(lake, aws)
        expected = {str(number) for number in range(500)} | {"direct"}
        wait_for(lambda: expected <= set(lake.wait_for_lines(501)), timeout=20, what="every record to be delivered")
        assert lake.describe(name)["DeliveryStreamStatus"] == "ACTIVE"
        retained = {
            record["Data"].decode().strip() for result in read_all(lake.kinesis, stream).values() for record in result
        }
        assert retained == expected - {"direct"}
        put_lines(lake, stream, 500, 1)
        wait_for(lambda: "500" in lake.wait_for_lines(502), timeout=20, what="a new record to be delivered")


def test_what_was_acknowledged_up_to_the_kill_is_there(tmp_path):
    """A kill in the midst of writing: every acknowledged record is kept and delivered."""
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = Lake(aws)
        stream = make_stream(lake.kinesis, shards=2)
        lake.deliver(source=stream)
        acknowledged = []

        def write():
            kinesis = aws.client("kinesis")
            for start in itertools.count(0, 50):
                records = [
                    {"Data": f"{number}\n".encode(), "PartitionKey": str(number)} for number in range(start, start + 50)
                ]
                try:
                    kinesis.put_records(StreamName=stream, Records=records)
                except (ClientError, BotoCoreError):
                    return
                acknowledged.extend(str(number) for number in range(start, start + 50))

        writer = threading.Thread(target=write)
        writer.start()
        wait_for(lambda: objects(lake.s3, lake.bucket) and len(acknowledged) > 1000, what="writing to be under way")
        aws.kill()
        writer.join(timeout=patient(30))
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = again(lake, aws)
        sent = set(acknowledged)
        wait_for(lambda: sent <= set(lake.wait_for_lines(len(sent))), timeout=30, what="every acknowledged record")


def test_a_clean_stop_delivers_nothing_twice(tmp_path):
    """The checkpoint of a shard is saved once its objects are stored."""
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = Lake(aws)
        stream = make_stream(lake.kinesis)
        lake.deliver(source=stream)
        put_lines(lake, stream, 0, 100)
        lake.wait_for_lines(100)
    with running_localaws(tmp_path, speed=240, kinesis_limits="off") as aws:
        lake = again(lake, aws)
        put_lines(lake, stream, 100, 100)
        lines = lake.wait_for_lines(200)
        assert sorted(lines, key=int) == [str(number) for number in range(200)]
