"""Parts of the streamer that can be looked at alone: secrets, pacing, filters, settings, the journal of counts."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import orjson
import pytest
from moto.server import ThreadedMotoServer

from localaws.testing.patience import patient
from postrank.aws.clients import Clients
from postrank.errors import Retryable
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.options import Options, Secret, WrongSettings
from postrank.settings import Settings
from postrank.sinks import POSTS, Record
from postrank.sinks.s3 import BucketRefused, S3Sink
from postrank.sources.files.pace import Pace
from postrank.sources.files.replay import Replay
from postrank.streamer.host.instance import instance_id
from postrank.streamer.secrets import NoSecret, Secrets
from postrank.streamer.telemetry.logs import JsonLines
from tests.support.fakes.x import post
from tests.support.streaming.streamers import NAMES, StreamerProcess, record, write_lines


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """Moto on loopback: what it has of Kinesis, S3, CloudWatch and Secrets Manager is enough here."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (("ENDPOINT_URL", emulator), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(f"AWS_{name}", value)
    return emulator


def test_a_secret_comes_from_the_environment_or_secrets_manager_and_never_shows(aws: str) -> None:
    boto3.client("secretsmanager", region_name="us-east-1").create_secret(
        Name="postrank-local-x", SecretString='{"token": "hidden-1"}'
    )
    secrets = Secrets({"X_TOKEN": "hidden-2"}, Clients("us-east-1"))
    options = Options(
        {"bearer_token": "env:X_TOKEN", "accounts": [{"token": "secretsmanager:postrank-local-x#token"}], "n": 1},
        "source",
    )
    options.resolve(secrets.resolve)
    assert options.secret("bearer_token").reveal() == "hidden-2"
    (account,) = options.tables("accounts")
    token = account.secret("token")
    assert token.reveal() == "hidden-1"
    assert "hidden" not in f"{token} {token!r} {options.problems}"
    for reference in ("env:NOT_THERE", "secretsmanager:nowhere", "secretsmanager:postrank-local-x#nothing"):
        with pytest.raises(NoSecret) as caught:
            secrets.resolve(reference)
        assert "hidden" not in str(caught.value)


def test_a_secret_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    tokens = {"GOOD": "hidden-1\n", "TWO": "hidden h", "FOREIGN": "hiddén€", "LINES": "hidden\nhidden", "NONE": " "}
    options = Options({name.lower(): f"env:{name}" for name in tokens}, "source")
    options.resolve(Secrets(tokens, None).resolve)
    found = {name: options.secret(name.lower()).reveal() for name in tokens}
    assert found["GOOD"] == "hidden-1", "the newline of the file that it was read from is no part of it"
    assert options.problems == [
        *(f"source.{name} must be one word of visible ASCII characters" for name in ("two", "foreign", "lines")),
        "source.none must not be empty",
    ]


def test_a_secrets_manager_that_is_away_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Retryable, match="secret postrank-local-x: Could not connect"):
        Secrets({}, Clients("us-east-1")).resolve("secretsmanager:postrank-local-x")


def test_a_bucket_that_is_not_there_is_no_outage(aws: str) -> None:
    sink = S3Sink(Clients("us-east-1").get("s3"), "no-such-bucket", {POSTS: "raw/posts/"}, "c", False, 60.0)
    with pytest.raises(BucketRefused, match="no-such-bucket refuses PutObject: NoSuchBucket"):
        sink.put([Record(POSTS, "0001", b"{}\n", 1)])


def test_metrics_reach_cloudwatch_as_what_came_since_the_last_time(aws: str, tmp_path: Path) -> None:
    kinesis, s3 = (boto3.client(service, region_name="us-east-1") for service in ("kinesis", "s3"))
    for stream in NAMES.streams.values():
        kinesis.create_stream(StreamName=stream, ShardCount=1)
    s3.create_bucket(Bucket=NAMES.buckets["raw"])
    file = write_lines(tmp_path / "p.ndjson", [record(n, seconds=n / 10) for n in range(300)])
    for _ in range(2):  # the second run finds nothing new, and must not tell the same again
        streamer = StreamerProcess(tmp_path, aws, [file], {"metrics": {"seconds": 0.2}})
        assert streamer.run() == 0
    found = boto3.client("cloudwatch", region_name="us-east-1").get_metric_statistics(
        Namespace=NAMES.metrics_namespace,
        MetricName="LinesDelivered",
        Dimensions=[{"Name": "Environment", "Value": "local"}],
        StartTime=time.time() - 600,
        EndTime=time.time() + 600,
        Period=3600,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in found["Datapoints"]) == 300
    heartbeat = read_heartbeat(s3, NAMES.buckets["raw"], NAMES.keys["heartbeat"])
    assert (heartbeat.phase, heartbeat.counts["delivered"]) == ("finished", 300)
    with pytest.raises(NoHeartbeat, match="no streamer has written"):
        read_heartbeat(s3, NAMES.buckets["raw"], "state/other.json")


def test_a_heartbeat_reads_back_and_what_is_no_heartbeat_says_so() -> None:
    texts = ("phase", "collector", "instance_id", "source", "version", "started_at", "written_at")
    beat = Heartbeat(finished=False, **dict.fromkeys(texts, "streaming"))
    assert Heartbeat.from_json(beat.to_json()) == beat
    assert Heartbeat.from_json(orjson.dumps({**orjson.loads(beat.to_json()), "later": 1})) == beat
    for body in (b"", b"{}", b'{"phase": 1'):
        with pytest.raises(NoHeartbeat):
            Heartbeat.from_json(body)


def test_settings_name_every_wrong_variable_at_once() -> None:
    with pytest.raises(WrongSettings) as caught:
        Settings.of({"POSTRANK_ENVIRONMENT": "Prod!", "POSTRANK_ACCOUNT": "12", "AWS_REGION": "mars"})
    assert all(name in str(caught.value) for name in ("POSTRANK_ENVIRONMENT", "POSTRANK_ACCOUNT", "AWS_REGION"))
    assert Settings.of({"POSTRANK_ACCOUNT": "123456789012"}) == Settings("local", "123456789012", None)


def test_a_paced_replay_takes_its_time_and_can_be_stopped_while_it_waits(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(0), record(1, seconds=2), record(2, seconds=86_400)])
    replay = Replay(files=[file], pace=Pace(speed=10))
    began = time.monotonic()
    batches = replay.read(after=None)
    assert next(batches).events
    assert next(batches).events
    assert time.monotonic() - began >= 0.15
    threading.Timer(0.05, replay.stop).start()
    assert sum(len(batch.events) for batch in batches) == 0


def test_a_paced_replay_goes_on_at_the_very_post_where_it_was_stopped(tmp_path: Path) -> None:
    page = {"data": [post(n)["data"] for n in (2, 3)], "includes": post(2)["includes"]}
    file = write_lines(tmp_path / "p.ndjson", [record(1), page, {"limit": {"track": 1}}, record(4), record(5)])
    batches = list(Replay(files=[file], pace=Pace(speed=1e9)).read(after=None))
    assert sum(batch.read for batch in batches) == 6
    given: list[str] = []
    for batch in batches:
        given += [event.post_id for event in batch.events]
        if batch.cursor:
            rest = [event.post_id for later in Replay(files=[file]).read(after=batch.cursor) for event in later.events]
            assert given + rest == ["1", "2", "3", "4", "5"]
    assert sum(1 for batch in batches if batch.cursor) >= 5


@pytest.mark.parametrize("name", ["p.ndjson", "p.ndjson.gz"])
def test_a_replay_goes_on_behind_its_cursor(tmp_path: Path, name: str) -> None:
    first = write_lines(tmp_path / name, [record(n) for n in range(5000)])
    second = write_lines(tmp_path / "q.ndjson", [record(n) for n in range(5000, 5010)])
    seen, cursor = [], None
    for batch in Replay(files=[first, second]).read(after=None):
        seen += [event.post_id for event in batch.events]
        cursor = batch.cursor
        break
    assert 0 < len(seen) < 5000
    for batch in Replay(files=[first, second]).read(after=cursor):
        seen += [event.post_id for event in batch.events]
    assert seen == [str(n) for n in range(5010)]


def test_a_file_that_was_cut_off_gives_what_it_has_and_a_reject(tmp_path: Path) -> None:
    whole = write_lines(tmp_path / "p.ndjson.gz", [record(n) for n in range(20_000)]).read_bytes()
    (tmp_path / "p.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    batches = list(Replay(files=[tmp_path / "p.ndjson.gz"]).read(after=None))
    events = [event.post_id for batch in batches for event in batch.events]
    rejects = [reject for batch in batches for reject in batch.rejects]
    assert events == [str(n) for n in range(len(events))]
    assert len(events) > 1000
    [reject] = rejects
    assert "the gzip data is cut off" in reject.reason
    assert reject.at_least


def test_the_instance_is_known_by_what_it_was_told_then_by_the_metadata_service_then_by_its_name() -> None:
    disabled = {"AWS_EC2_METADATA_DISABLED": "true"}
    assert instance_id({"INSTANCE_ID": "i-told", **disabled}) == "i-told"
    assert instance_id(disabled) == socket.gethostname()
    with metadata_service() as url:
        assert instance_id({"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}) == "i-0123"
    assert instance_id({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}) == socket.gethostname()


@contextmanager
def metadata_service() -> Iterator[str]:
    """IMDSv2 on loopback: an answer only with the token that it gave."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.answer(200, b"token-1")

        def do_GET(self) -> None:
            known = self.headers.get("X-aws-ec2-metadata-token") == "token-1"
            self.answer(200 if known else 401, b"i-0123")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_log_line_is_json_with_its_fields() -> None:
    row = logging.LogRecord("postrank", logging.WARNING, "", 0, "sink away", None, None)
    row.fields = {"records": 3}
    found = orjson.loads(JsonLines().format(row))
    assert (found["event"], found["level"], found["records"]) == ("sink away", "warning", 3)


def test_what_nobody_caught_is_a_log_line_too() -> None:
    program = (
        "import threading; from postrank.streamer.telemetry import logs; logs.configure()\n"
        "thread = threading.Thread(target=lambda: 1 / 0, name='worker'); thread.start(); thread.join()\n"
        "[].pop()\n"
    )
    died = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=patient(60))
    rows = [orjson.loads(line) for line in died.stderr.splitlines()]
    assert died.returncode == 1
    assert [(row["level"], row["event"]) for row in rows] == [
        ("critical", "thread worker died"),
        ("critical", "crashed"),
    ]
    assert "ZeroDivisionError" in rows[0]["exception"]
    assert "pop from empty list" in rows[1]["exception"]


def test_a_secret_in_an_f_string_is_still_a_secret() -> None:
    assert f"{Secret('hidden')}" == "Secret(...)"
