"""`postrank restore` on the local AWS: what was deleted comes back from its versions, and nothing else changes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from localaws.testing.patience import patient
from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.aws.resources import Resources

NAMES = Resources.of("local", "123456789012")
BUCKET = NAMES.buckets["results"]


@dataclass
class Bucket:
    """The results bucket, with one prefix a test."""

    aws: LocalAws
    prefix: str

    def put(self, name: str, body: bytes) -> None:
        self.aws.client("s3").put_object(Bucket=BUCKET, Key=self.prefix + name, Body=body)

    def delete(self, *names: str) -> None:
        for name in names:
            self.aws.client("s3").delete_object(Bucket=BUCKET, Key=self.prefix + name)

    def contents(self) -> dict[str, bytes]:
        s3 = self.aws.client("s3")
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix).get("Contents", ())]
        return {key.removeprefix(self.prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def moment(self) -> str:
        """A second in which nothing happens to the bucket, and which is over."""
        quiet = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        wait_for(lambda: datetime.now(UTC) >= quiet + timedelta(seconds=1), timeout=30, what="the second to pass")
        return f"{quiet:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("localaws")) as running:
        s3 = running.client("s3")
        for purpose in ("results", "artifacts"):
            s3.create_bucket(Bucket=NAMES.buckets[purpose])
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield running


@pytest.fixture
def bucket(aws: LocalAws, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(aws, f"{request.node.name}/")


@pytest.fixture
def restore(aws: LocalAws) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs the command against the local AWS."""

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTRANK_"))}
        env = {**inherited, **aws.root_environment, "POSTRANK_ACCOUNT": NAMES.account}
        command = [sys.executable, "-m", "postrank", "restore", "--environment", "local", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=patient(60))

    return run


def test_deleted_objects_come_back_and_later_ones_stay(bucket, restore):
    bucket.put("a", b"first")
    bucket.put("a", b"second")
    bucket.put("b", b"of b")
    bucket.put("gone before", b"x")
    bucket.delete("gone before")
    moment = bucket.moment()
    bucket.delete("a", "b")
    bucket.delete("b")
    bucket.put("later", b"new")
    words = ("--prefix", bucket.prefix, "--before", moment)
    dry = restore(*words)
    assert dry.returncode == 0, dry.stderr
    assert f"{bucket.prefix}a\n" in dry.stdout
    assert "2 objects below" in dry.stdout
    assert bucket.contents() == {"later": b"new"}
    applied = restore(*words, "--apply")
    assert applied.returncode == 0, applied.stderr
    assert "2 objects below" in applied.stdout
    assert bucket.contents() == {"a": b"second", "b": b"of b", "later": b"new"}
    assert "0 objects below" in restore(*words, "--apply").stdout


def test_overwritten_contents_come_back_on_request_only(bucket, restore):
    bucket.put("latest.json", b"good")
    moment = bucket.moment()
    bucket.put("latest.json", b"bad")
    words = ("--prefix", bucket.prefix, "--before", moment, "--apply")
    assert "0 objects below" in restore(*words).stdout
    assert bucket.contents() == {"latest.json": b"bad"}
    assert "1 objects below" in restore(*words, "--overwritten").stdout
    assert bucket.contents() == {"latest.json": b"good"}


def test_an_object_that_was_deleted_and_written_again_needs_a_copy(bucket, restore):
    bucket.put("a", b"good")
    moment = bucket.moment()
    bucket.put("a", b"bad")
    bucket.delete("a")
    assert restore("--prefix", bucket.prefix, "--before", moment, "--apply").returncode == 0
    assert bucket.contents() == {"a": b"good"}


def test_a_bucket_without_versions_and_a_time_without_a_zone_are_rejected(restore):
    completed = restore("--bucket", "artifacts", "--prefix", "x", "--before", "2026-12-01T00:00:00Z")
    assert completed.returncode == 2
    assert "keeps no versions" in completed.stderr
    completed = restore("--prefix", "x", "--before", "2026-12-01T00:00:00")
    assert completed.returncode == 2
    assert "has no time zone" in completed.stderr
