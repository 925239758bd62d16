"""Published configurations on the local AWS, each part under its own role: push, apply, roll back, report."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources
from postrank.bundles.bundle import Bundle
from postrank.bundles.publications import Publications
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.laptop.provision import Provision
from tests.support import permissions
from tests.support.fakes.aws import aws_server
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import fake_x
from tests.support.streaming.streamers import ACCOUNT, NAMES, StreamerProcess, heartbeat, record

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SETTINGS: dict[str, dict[str, Any]] = {
    "remote": {"seconds": 0.3, "trial_seconds": 1.5},
    "sink": {"flush_seconds": 0.1},
    "filters": {"keywords": ["alpha"]},
}
BUNDLE = """[source]
kind = "tail"
files = ["{posts}"]
[sink]
flush_seconds = 0.1
[heartbeat]
seconds = 0.5
[filters]
keywords_file = "keywords.txt"
"""
UNHEALTHY = '[sink]\nkind = "files"\nfolder = "/proc/postrank"\n'


@dataclass
class Environment:
    """A local AWS with its resources, a streamer that tails a file, a folder to publish from."""

    aws: LocalAws
    folder: Path
    streamer: StreamerProcess
    written: list[str] = field(default_factory=list)

    @property
    def posts(self) -> Path:
        return self.folder / "posts.ndjson"

    def write(self, word: str, number: int) -> None:
        """Append posts that hold a word."""
        lines = []
        for _ in range(number):
            post_id = str(len(self.written))
            self.written.append(word)
            lines.append(orjson.dumps(record(int(post_id), text=f"a {word} post"), option=orjson.OPT_APPEND_NEWLINE))
        with self.posts.open("ab") as file:
            file.write(b"".join(lines))

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`postrank config`, as the deployer."""
        env = self.streamer.environment() | self.aws.role_environment(NAMES.roles["deployer"])
        argv = [sys.executable, "-m", "postrank", "config", *words]
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=patient(60), check=False)

    def push(self, document: str, *keywords: str) -> "subprocess.CompletedProcess[str]":
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "postrank.toml").write_text(document, encoding="utf-8")
        (source / "keywords.txt").write_text("\n".join(keywords), encoding="utf-8")
        return self.command("push", str(source))

    def beat(self) -> Heartbeat | None:
        try:
            return read_heartbeat(self.aws.client("s3"), NAMES.buckets["raw"], NAMES.keys["heartbeat"])
        except NoHeartbeat:
            return None

    def wait(self, what: str, holds: Callable[[Heartbeat], bool]) -> Heartbeat:
        """The first heartbeat of which something holds."""
        beats: list[Heartbeat] = []

        def look() -> bool:
            beat = self.beat()
            if beat is not None and holds(beat):
                beats.append(beat)
            return bool(beats)

        wait_for(look, timeout=40, what=f"{what}\n{self.streamer.log[-3000:]}", every=0.2)
        return beats[-1]

    def wait_read(self) -> Heartbeat:
        """The heartbeat once everything that was written is delivered or filtered."""
        counts: Callable[[Heartbeat], int] = lambda beat: beat.counts["delivered"] + beat.counts["filtered"]  # noqa: E731
        return self.wait("every line", lambda beat: counts(beat) == len(self.written))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    (tmp_path / "aws").mkdir()
    with running_localaws(tmp_path / "aws", enforce_iam=True) as aws:
        list(Provision(aws.client, NAMES).base())
        role = aws.role_environment(NAMES.roles["streamer"])
        posts = tmp_path / "posts.ndjson"
        posts.touch()
        settings = {**SETTINGS, "source": {"kind": "tail"}}
        streamer = StreamerProcess(tmp_path, aws.endpoint, [posts], settings, role, without=SECRETS)
        yield Environment(aws, tmp_path, streamer)
        permissions.gather(aws.call_log())


@contextmanager
def streaming(environment: Environment) -> Iterator[None]:
    process = environment.streamer.start()
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(patient(30)) == 0, environment.streamer.log[-3000:]


def version(beat: Heartbeat) -> int | None:
    return beat.configuration["version"] if beat.configuration else None


def test_a_pushed_keyword_applies_without_a_restart_and_a_bad_bundle_is_rolled_back(environment: Environment) -> None:
    document = BUNDLE.format(posts=environment.posts)
    with streaming(environment):
        environment.write("alpha", 20)
        environment.write("beta", 20)
        first = environment.wait_read()
        assert (first.counts["delivered"], first.configuration) == (20, None)

        pushed = environment.push(document, "alpha", "beta")
        assert pushed.returncode == 0, pushed.stderr
        environment.write("beta", 5)  # while the bundle is on its way
        applied = environment.wait("the first bundle", lambda beat: version(beat) == 1 and not trial(beat))
        environment.write("beta", 30)
        second = environment.wait_read()
        assert second.started_at == applied.started_at == first.started_at
        assert 50 <= second.counts["delivered"] <= 55
        assert environment.command("status").returncode == 0

        unhealthy = environment.push(document.replace("[sink]\n", UNHEALTHY), "alpha", "beta")
        assert unhealthy.returncode == 0, unhealthy.stderr
        environment.write("alpha", 10)
        rolled_back = environment.wait("the roll-back", lambda beat: rejected(beat) == 2 and beat.phase == "streaming")
        assert version(rolled_back) == 1
        assert rolled_back.started_at != first.started_at
        environment.write("beta", 10)
        last = environment.wait_read()
        assert last.counts["delivered"] == second.counts["delivered"] + 20
        assert last.counts["read"] == len(environment.written)
        status = environment.command("status")
        assert status.returncode == 1
        assert "2 (" in status.stdout
        assert "was rejected: sink.folder = '/proc/postrank' cannot be used" in status.stdout

        again = environment.push(document, "alpha", "beta")  # what is right again is the next version
        assert "main: published 3 (" in again.stdout, again.stderr
        environment.wait("the third bundle", lambda beat: version(beat) == 3)
    assert "Traceback" not in environment.streamer.log


def trial(beat: Heartbeat) -> bool:
    return bool(beat.configuration and beat.configuration["phase"] == "trial")


def rejected(beat: Heartbeat) -> int | None:
    about = beat.configuration["rejected"] if beat.configuration else None
    return about["version"] if about else None


def test_a_change_beyond_filters_restarts_the_streamer_which_reads_on(environment: Environment) -> None:
    document = BUNDLE.format(posts=environment.posts)
    with streaming(environment):
        environment.write("alpha", 20)
        first = environment.wait_read()
        environment.push(document.replace("flush_seconds = 0.1", "flush_seconds = 0.2"), "alpha")
        environment.write("alpha", 20)
        second = environment.wait("the bundle", lambda beat: version(beat) == 1 and not trial(beat))
        assert second.started_at != first.started_at
        environment.write("alpha", 20)
        assert environment.wait_read().counts["delivered"] == 60


X_BUNDLE = """[source]
kind = "x"
host = "{host}"
bearer_token = "env:X_TOKEN"
daily_budget = 5.0
monthly_budget = 50.0
follow_file = "handles.txt"
rules = [{{value = "{rule}"}}]
[heartbeat]
seconds = 0.5
"""


def test_rules_of_x_change_under_the_open_stream_and_refused_ones_are_taken_back(tmp_path: Path) -> None:
    with aws_server() as aws, fake_x() as x:
        source = {"kind": "x", "host": x.url, "bearer_token": "env:X_TOKEN", "rules": [{"value": "cats"}]}
        source |= {"daily_budget": 5.0, "monthly_budget": 50.0}
        settings = {"source": source, "remote": {"seconds": 0.3, "trial_seconds": 20}}
        streamer = StreamerProcess(tmp_path, aws.url, [], settings, {"X_TOKEN": X_TOKEN})
        client = boto3.client(
            "s3",
            endpoint_url=aws.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=NAMES.region,
        )
        publications = Publications(client, NAMES.buckets["artifacts"], "main")

        def publish(rule: str, handle: str) -> None:
            document = X_BUNDLE.format(host=x.url, rule=rule)
            files = {"collector.toml": document.encode(), "handles.txt": handle.encode()}
            publications.publish(Bundle(files), at="2026-05-01T12:00:00.000Z", by="test")

        def configuration() -> dict[str, Any]:
            return (heartbeat(aws) or {}).get("configuration") or {}

        process = streamer.start()
        try:
            wait_for(lambda: x.feed.opened == 1, timeout=30, what=f"the stream {streamer.log[-2000:]}")
            publish("dogs", "sim_ann")
            wait_for(lambda: configuration().get("phase") == "applied", timeout=30, what=streamer.log[-2000:])
            assert {rule["value"] for rule in x.rules} == {"dogs", "from:sim_ann"}
            publish("lang:xx", "sim_bob")
            wait_for(lambda: configuration().get("rejected"), timeout=30, what=streamer.log[-2000:])
            assert configuration()["version"] == 1
            assert "X refuses rules" in configuration()["rejected"]["reason"]
            assert {rule["value"] for rule in x.rules} == {"dogs", "from:sim_ann"}
            assert x.feed.opened == 1
        finally:
            process.terminate()
            assert process.wait(patient(30)) == 0, streamer.log[-2000:]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ('[source]\nkind = "tail"\n', "source.files is missing"),
        ('[source]\nkind = "tail"\nfiles = ["x"]\n[filters]\nkeyword = ["a"]\n', "filters.keyword is not a known key"),
        ('[source]\nkind = "tail"\nfiles = ["x"]\n[filters]\nhandles_file = "../h"\n', "handles_file"),
        (
            '[source]\nkind = "x"\nbearer_token = "AAA"\ndaily_budget = 1\nmonthly_budget = 1\nrules = [{value = "a"}]',
            "source.bearer_token must be a reference such as secretsmanager:NAME",
        ),
    ],
)
def test_a_bad_bundle_is_rejected_before_it_is_published(tmp_path: Path, document: str, problem: str) -> None:
    (tmp_path / "postrank.toml").write_text(document, encoding="utf-8")
    env = StreamerProcess(tmp_path, "http://127.0.0.1:9", []).environment()  # where nobody answers
    argv = [sys.executable, "-m", "postrank", "config", "push", str(tmp_path)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=patient(60), check=False)
    assert done.returncode == 2
    assert problem in done.stderr
    assert "AAA" not in done.stderr


def test_the_deployer_may_publish_and_no_other_role_of_the_hosts_may() -> None:
    resources = Resources.of("local", ACCOUNT)
    allowed = json.dumps(permissions.part("deployer"))
    assert f"{resources.buckets['artifacts']}/config/*" in allowed
    of_streamer = [s for s in permissions.part("streamer") if "config/*" in json.dumps(s["Resource"])]
    assert [statement["Action"] for statement in of_streamer] == [["s3:GetObject"]]
