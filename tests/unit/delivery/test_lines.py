"""Counting the delivered lines of an hour of many small objects: right, and each object read once."""

import gzip
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.delivery import account, lines
from postrank.delivery.lines import DeliveredLines, Hour

PREFIX = "raw/posts/"
FOLDER = f"{PREFIX}dt=2026-11-24/hour=05"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_localaws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture
def bucket(aws: LocalAws, request: pytest.FixtureRequest) -> str:
    name = f"raw-{abs(hash(request.node.name))}"
    aws.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all that was listed count as written long ago."""
    monkeypatch.setattr(lines, "_LATE", timedelta(0))


def deliver(aws: LocalAws, bucket: str, names: range, count: int = 1) -> None:
    for name in names:
        body = gzip.compress(b"{}\n" * count, mtime=0)
        aws.client("s3").put_object(Bucket=bucket, Key=f"{FOLDER}/{name:05}.gz", Body=body)


def reads(aws: LocalAws, bucket: str) -> int:
    return sum(call["action"] == "GetObject" and bucket in str(call) for call in aws.call_log())


def count(aws: LocalAws, bucket: str) -> int:
    """One run: goes on from what the last one stored, and stores what it counted."""
    s3 = aws.client("s3")
    stored = account.load(s3, bucket)
    delivered = DeliveredLines(s3, bucket, PREFIX, stored.hours if stored else None)
    total = delivered.update()
    account.save(s3, bucket, account.Account("c", 0, delivered.hours, []))
    return total


def test_an_hour_that_grows_costs_a_read_for_each_new_object(aws: LocalAws, bucket: str) -> None:
    total = 0
    for fresh in (40, 5, 1):
        deliver(aws, bucket, range(total, total + fresh), 2)
        total += fresh
        before = reads(aws, bucket)
        assert count(aws, bucket) == 2 * total
        assert reads(aws, bucket) - before == fresh + 1, "and the account itself"
        second = int(time.time()) + 1
        wait_for(lambda second=second: time.time() >= second, what="the next second, S3's unit of time")


def test_an_object_that_shows_itself_late_or_is_replaced_or_deleted_makes_all_be_counted(
    aws: LocalAws, bucket: str
) -> None:
    deliver(aws, bucket, range(10))
    assert count(aws, bucket) == 10
    deliver(aws, bucket, range(3, 4), 50)
    assert count(aws, bucket) == 59
    aws.client("s3").delete_object(Bucket=bucket, Key=f"{FOLDER}/00003.gz")
    deliver(aws, bucket, range(10, 12))
    assert count(aws, bucket) == 11
    hour = account.load(aws.client("s3"), bucket).hours[FOLDER]
    assert hour.old_objects == hour.objects == 11
    wrong = Hour(**{**asdict(hour), "objects": 0, "old_objects": 10, "old_lines": 9000})
    delivered = DeliveredLines(aws.client("s3"), bucket, PREFIX, {FOLDER: wrong})
    assert delivered.update() == 11, "as if one of the old ones had not been listed before"


def test_what_was_written_within_the_last_minute_is_not_trusted(
    aws: LocalAws, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_LATE", timedelta(minutes=1))
    deliver(aws, bucket, range(5))
    assert count(aws, bucket) == 5
    hour = account.load(aws.client("s3"), bucket).hours[FOLDER]
    assert (hour.objects, hour.old_objects, hour.old_lines) == (5, 0, 0)
    assert datetime.fromisoformat(hour.old_until) < datetime.now(UTC) - timedelta(seconds=59)
