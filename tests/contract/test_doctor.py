"""`postrank doctor`: each thing that a streamer needs is broken on purpose, and what is said of it is looked at."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from postrank.laptop.provision import Provision
from tests.support.fakes.http_server import Handler, serving
from tests.support.streaming.networks import NETWORKS
from tests.support.streaming.streamers import NAMES, StreamerProcess, record, write_lines

NOWHERE = "http://127.0.0.1:9"


def doctor(streamer: StreamerProcess) -> "subprocess.CompletedProcess[str]":
    argv = [sys.executable, "-m", "postrank", "doctor", "--config", str(streamer.write())]
    return subprocess.run(
        argv, env=streamer.environment(), capture_output=True, text=True, check=False, timeout=patient(60)
    )


def sentences(streamer: StreamerProcess) -> dict[str, str]:
    """What each check said, with its advice where it is not well."""
    found: dict[str, str] = {}
    for line in doctor(streamer).stdout.splitlines():
        if line.startswith(("ok  ", "FAIL")):
            what, _, seen = line[6:].partition(": ")
            found[what] = f"{line[:4].strip()} {seen}"
        else:
            found[what] += "\n" + line.strip()
    return found


class _OtherTime(Handler):
    """AWS, whose clock is two hours ahead: no signature is good there."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = b"<Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error>"
        body = b"<ErrorResponse>" + told + b"</ErrorResponse>"
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + 7200)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "p.ndjson", [record(1)])


def test_a_clock_that_is_off_is_told_before_the_credentials_that_it_spoils(tmp_path: Path, file: Path) -> None:
    with serving(None, _OtherTime, None) as url:
        said = sentences(StreamerProcess(tmp_path, url, [file]))
    assert 7100 < int(said["clock"].removeprefix("FAIL ").partition(" ")[0]) <= 7201
    assert said["clock"].endswith(" s off AWS's clock\n-> synchronize it (chrony, systemd-timesyncd)")
    assert list(said)[-2:] == ["clock", "credentials"]
    assert "-> correct the secret access key; if the clock is wrong, set it first" in said["credentials"]


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("aws"), enforce_iam=True) as aws:
        yield aws


def as_role(aws: LocalAws, streamer: StreamerProcess, role: str) -> dict[str, str]:
    streamer.env = {**streamer.env, **aws.role_environment(NAMES.roles[role])}
    streamer.without = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return sentences(streamer)


def test_streams_and_permissions_are_looked_at_on_aws_and_nothing_is_written(
    local_aws: LocalAws, tmp_path: Path, file: Path
) -> None:
    streamer, stream = StreamerProcess(tmp_path, local_aws.endpoint, [file]), f"stream {NAMES.streams['posts']}"
    list(Provision(local_aws.client, NAMES).base())
    assert {one.partition(" ")[0] for one in as_role(local_aws, streamer, "streamer").values()} == {"ok"}
    assert "-> give the role the permission that the message names" in as_role(local_aws, streamer, "crawler")[stream]
    look = {"Effect": "Allow", "Action": "kinesis:DescribeStreamSummary", "Resource": "*"}
    policy = orjson.dumps({"Version": "2012-10-17", "Statement": [look]}).decode()
    local_aws.client("iam").put_role_policy(RoleName=NAMES.roles["crawler"], PolicyName="look", PolicyDocument=policy)
    assert "kinesis:PutRecords" in as_role(local_aws, streamer, "crawler")[stream], "who may look may not yet write"
    kinesis = local_aws.client("kinesis")
    [shard, *_] = kinesis.list_shards(StreamName=NAMES.streams["posts"])["Shards"]
    at = kinesis.get_shard_iterator(
        StreamName=NAMES.streams["posts"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    assert kinesis.get_records(ShardIterator=at["ShardIterator"])["Records"] == []


def test_what_is_not_there_and_whose_account_it_is_are_told(local_aws: LocalAws, tmp_path: Path, file: Path) -> None:
    streamer = StreamerProcess(tmp_path, local_aws.endpoint, [file])
    root = {"AWS_ACCESS_KEY_ID": local_aws.root.key, "AWS_SECRET_ACCESS_KEY": local_aws.root.secret}
    streamer.env = {**root, "POSTRANK_ENVIRONMENT": "prod"}
    said, create = sentences(streamer), "-> create it: terraform apply, in the environment and account of POSTRANK_*"
    for what, code in (("stream postrank-prod-posts", "ResourceNotFoundException"), ("heartbeat", "NoSuchBucket")):
        assert said[what].startswith(f"FAIL {code}")
        assert said[what].endswith(create)
    streamer.env = {**root, "POSTRANK_ACCOUNT": "210987654321"}
    assert sentences(streamer)["credentials"] == (
        "FAIL they belong to account 123456789012, POSTRANK_ACCOUNT is 210987654321\n"
        "-> use credentials of that account, or correct POSTRANK_ACCOUNT"
    )
    streamer.env = {}
    assert "-> use other credentials: AWS does not know these" in sentences(streamer)["credentials"]


def test_a_disk_that_cannot_be_used_is_told_and_ends_no_other_check(tmp_path: Path, file: Path) -> None:
    with NETWORKS["x"]() as network:
        streamer = StreamerProcess(tmp_path, NOWHERE, [], {"source": {"kind": "x", **network.table}})
        streamer.settings["spool"] = {"max_bytes": 10**15}
        said = sentences(streamer)
        assert said["disk"].startswith("FAIL")
        assert said["disk"].endswith("-> free some space, or lower max_bytes in [spool] (file_bytes in [sink])")
        assert said["source"] == "ok X takes the token, and has 0 rules"
    streamer = StreamerProcess(tmp_path, NOWHERE, [file], {"sink": {"kind": "files", "folder": str(file)}})
    (tmp_path / "here").write_text("a file", encoding="utf-8")
    streamer.env = {"POSTRANK_STREAM_STATE": str(tmp_path / "here")}
    said = sentences(streamer)
    unusable = "cannot be used (File exists): name a folder that this user may write"
    assert f"state = '{tmp_path / 'here'}' {unusable}" in said["disk"]
    assert f"sink.folder = '{file}' {unusable}" in said["sink"]
    assert "credentials" in said


def test_what_is_wrong_in_the_file_and_what_the_environment_lacks_come_together(tmp_path: Path, file: Path) -> None:
    streamer = StreamerProcess(tmp_path, NOWHERE, [file], {"filters": {"types": ["joke"]}, "source": {"speed": "fast"}})
    streamer.without = ("POSTRANK_ACCOUNT",)
    said = doctor(streamer)
    assert said.returncode == 1
    for problem in ("filters.types must be", "POSTRANK_ACCOUNT is missing", "source.speed must be a number, not text"):
        assert problem in said.stdout
    assert "Traceback" not in said.stderr


def test_the_doctor_says_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(1)])
    streamer = StreamerProcess(tmp_path, "http://127.0.0.1:9", [file])
    found = doctor(streamer)
    assert found.returncode == 1
    assert "ok    configuration" in found.stdout
    assert "FAIL  credentials" in found.stdout
    assert "-> check the route to AWS" in found.stdout
    streamer.settings = {"source": {"files": "p"}}
    assert "-> fix the table [source]" in doctor(streamer).stdout


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_doctor_asks_the_network_whether_it_serves(tmp_path: Path, name: str) -> None:
    with NETWORKS[name]() as network:
        table = {"kind": network.name, **network.table}
        streamer = StreamerProcess(tmp_path, "http://127.0.0.1:9", [], {"source": table})
        well = doctor(streamer).stdout
        assert "ok    source: " in well, well
        assert not network.secret or network.secret not in well
        if network.secret:
            streamer.settings = {"source": orjson.loads(orjson.dumps(table).replace(network.secret.encode(), b"wrong"))}
            refused = doctor(streamer).stdout
            assert "token is not valid" in refused
            assert "-> fix the table [source]" in refused
    if network.name == "bluesky":
        assert "FAIL  source: ws://" in doctor(streamer).stdout
