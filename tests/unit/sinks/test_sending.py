"""What sinks do with what AWS takes, refuses and fails: nothing is lost, nothing is sent twice without need."""

import gzip
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.sinks import POSTS, WINDOWS, Record, Unavailable
from postrank.sinks.kinesis import KinesisSink, Refused
from postrank.sinks.s3 import BucketRefused, S3Sink
from tests.support.fakes.aws import AwsServer, aws_server

STREAMS = {POSTS: "t-posts", WINDOWS: "t-windows"}
PREFIXES = {POSTS: "raw/posts/", WINDOWS: "raw/windows/"}


def posts(number: int) -> list[Record]:
    return [Record(POSTS, f"{n:04x}", b"post %d\n" % n, 1) for n in range(number)]


WINDOW = Record(WINDOWS, "0001", b"window\n", 1)


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with aws_server() as running:
        yield running


def client(server: AwsServer, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def kinesis(server: AwsServer, patience: float = 60.0) -> KinesisSink:
    return KinesisSink(client(server, "kinesis"), STREAMS, patience)


def s3(server: AwsServer, *, gzipped: bool = False, patience: float = 60.0) -> S3Sink:
    return S3Sink(client(server, "s3"), "lake", PREFIXES, "c1", gzipped, patience)


def test_every_record_goes_to_the_stream_of_its_kind_under_its_key(server: AwsServer) -> None:
    sink = kinesis(server)
    sink.put([*posts(501), WINDOW])
    assert server.records[:501] == [("t-posts", record.key, record.data) for record in posts(501)]
    assert server.records[501:] == [("t-windows", WINDOW.key, WINDOW.data)]
    assert server.calls == [500, 1, 1]
    figures = sink.gauges()
    assert (figures["put_calls"], figures["refused_entries"], figures["failed_calls"]) == (3, 0, 0)


def test_only_refused_records_are_sent_again_and_counted(server: AwsServer) -> None:
    server.refuse_first_calls = 2
    sink = kinesis(server)
    sink.put(posts(5))
    assert server.calls == [5, 1, 1]
    assert sorted(record[2] for record in server.records) == [record.data for record in posts(5)]
    figures = sink.gauges()
    assert (figures["put_calls"], figures["refused_entries"], figures["resent_entries"]) == (3, 2, 2)


def test_the_rate_of_a_stream_goes_by_what_it_took(server: AwsServer) -> None:
    server.refuse_first_calls = 1
    sink = kinesis(server, patience=0.0)
    records = [Record(POSTS, f"{n:04x}", b"." * 100_000, 1) for n in range(5)]
    with pytest.raises(Unavailable) as away:
        sink.put(records)
    assert away.value.left == [record for record in records if record.key not in {key for _, key, _ in server.records}]
    assert len(away.value.left) == 1
    assert sink.gauges()["rate_limit_bytes"] == pytest.approx(0.7 * 400_000 / 0.1)


def test_what_a_stream_does_not_take_is_left_in_order_with_what_was_to_follow(server: AwsServer) -> None:
    server.failing = "500"
    sink = kinesis(server, patience=0.0)
    with pytest.raises(Unavailable, match=r"3 records were not taken: InternalFailure: a fault was asked for") as away:
        sink.put([WINDOW, *posts(2)])
    assert away.value.left == [WINDOW, *posts(2)]
    assert sink.gauges()["failed_calls"] >= 1
    assert server.records == []


def test_what_a_stream_took_before_the_outage_is_not_left(server: AwsServer) -> None:
    sink = kinesis(server, patience=0.0)

    def fail_after_first(stream: str, data: bytes) -> None:
        server.records.append((stream, "", data))
        if stream == "t-posts":
            server.failing = "500"

    server.consume = fail_after_first
    with pytest.raises(Unavailable) as away:
        sink.put([*posts(1), WINDOW])
    assert away.value.left == [WINDOW]
    assert [stream for stream, _, _ in server.records] == ["t-posts"]


@pytest.mark.parametrize(("failing", "rate"), [("throttled", 50_000.0), ("500", 0.0)])
def test_a_throttled_stream_has_a_rate_and_a_failing_one_none(server: AwsServer, failing: str, rate: float) -> None:
    server.failing = failing
    sink = kinesis(server, patience=1.5)
    with pytest.raises(Unavailable):
        sink.put(posts(3))
    assert sink.gauges()["rate_limit_bytes"] == rate


def test_a_call_that_no_retry_can_mend_ends_at_once_and_names_the_stream(server: AwsServer) -> None:
    server.failing = "denied"
    sink = kinesis(server)
    with pytest.raises(Refused, match=r"stream t-posts refuses PutRecords: AccessDeniedException: a fault") as refused:
        sink.put(posts(1))
    assert (refused.value.stream, refused.value.code) == ("t-posts", "AccessDeniedException")
    assert sink.gauges()["put_calls"] == 1


def test_a_sink_that_is_hurried_gives_up_at_its_next_refusal(server: AwsServer) -> None:
    server.failing = "500"
    sink = kinesis(server)
    left: list[Record] = []

    def put() -> None:
        try:
            sink.put(posts(2))
        except Unavailable as away:
            left.extend(away.left)

    started = time.monotonic()
    thread = threading.Thread(target=put)
    thread.start()
    wait_for(lambda: sink.gauges()["resent_entries"], timeout=patient(30), what="a first resend")
    sink.hurry()
    thread.join(patient(30))
    assert left == posts(2)
    assert time.monotonic() - started < 60.0


def test_an_object_holds_a_stream_s_lines_and_says_when_and_by_whom_it_was_written(server: AwsServer) -> None:
    sink = s3(server)
    sink.put([*posts(3), WINDOW])
    bodies = {key: gzip.decompress(body) for key, body in server.objects.items()}
    assert list(bodies.values()) == [b"post 0\npost 1\npost 2\n", b"window\n"]
    form = r"lake/raw/(posts|windows)/dt=\d{4}-\d\d-\d\d/hour=\d\d/c1-\d{8}T\d{9}Z-[0-9a-f]{12}\.ndjson\.gz"
    assert all(re.fullmatch(form, key) for key in bodies)
    assert sink.gauges() == {"put_calls": 2.0, "failed_calls": 0.0}


def test_lines_that_are_gzipped_already_are_not_gzipped_again(server: AwsServer) -> None:
    member = gzip.compress(b"post\n")
    s3(server, gzipped=True).put([Record(POSTS, "0001", member, 1), Record(POSTS, "0002", member, 1)])
    assert list(server.objects.values()) == [member * 2]


def test_a_bucket_that_is_away_leaves_what_it_did_not_take(server: AwsServer) -> None:
    sink = s3(server, patience=0.0)
    server.failing_objects = "503 SlowDown"
    with pytest.raises(Unavailable, match="SlowDown") as away:
        sink.put([*posts(2), WINDOW])
    assert away.value.left == [*posts(2), WINDOW]
    assert sink.gauges()["failed_calls"] >= 1


def test_an_object_is_tried_again_until_the_bucket_takes_it(server: AwsServer) -> None:
    sink = s3(server)
    server.failing_objects = "503 SlowDown"
    thread = threading.Thread(target=sink.put, args=(posts(1),))
    thread.start()
    wait_for(lambda: sink.gauges()["failed_calls"], timeout=patient(30), what="a first failure")
    server.failing_objects = ""
    thread.join(patient(30))
    assert [gzip.decompress(body) for body in server.objects.values()] == [b"post 0\n"]


def test_a_bucket_that_refuses_is_named_and_not_asked_again(server: AwsServer) -> None:
    server.failing_objects = "403 AccessDenied"
    sink = s3(server)
    with pytest.raises(BucketRefused, match="bucket lake refuses PutObject: AccessDenied") as refused:
        sink.put(posts(1))
    assert (refused.value.bucket, refused.value.code) == ("lake", "AccessDenied")
    assert sink.gauges()["put_calls"] == 1
