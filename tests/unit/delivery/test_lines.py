"""Counting the delivered lines of an hour of many small objects: right, and each object read once."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from localaws.testing.server import LocalAws, running_localaws
from localaws.testing.waiting import wait_for
from postrank.delivery import account, lines
from postrank.delivery.conservation import Sample
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
    stored = account.load_delivered(s3, bucket)
    delivered = DeliveredLines(s3, bucket, PREFIX, stored.hours, expired=stored.expired)
    total = delivered.update()
    account.save_delivered(s3, bucket, delivered)
    return total


def test_an_hour_that_grows_costs_a_read_for_each_new_object(aws: LocalAws, bucket: str) -> None:
    total = 0
    for fresh in (40, 5, 1):
        deliver(aws, bucket, range(total, total + fresh), 2)
        total += fresh
        before = reads(aws, bucket)
        assert count(aws, bucket) == 2 * total
        assert reads(aws, bucket) - before == fresh + 2, "and the account itself, before and after"
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
    hour = account.load_delivered(aws.client("s3"), bucket).hours[FOLDER]
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
    hour = account.load_delivered(aws.client("s3"), bucket).hours[FOLDER]
    assert (hour.objects, hour.old_objects, hour.old_lines) == (5, 0, 0)
    assert datetime.fromisoformat(hour.old_until) < datetime.now(UTC) - timedelta(seconds=59)


def test_lines_are_told_apart_by_collector_and_no_text_passes_for_one(
    aws: LocalAws, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_BLOCK", 50)  # a line may lie in two blocks
    events = [{"text": 'he said "collector":"x"', "collector": name} for name in ("x", "x", "y", "x-backfill", "i-1")]
    body = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events) + "{}\n"
    key = f"{FOLDER}/labelled.gz"
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=gzip.compress(body.encode()))
    delivered = DeliveredLines(aws.client("s3"), bucket, PREFIX, collectors=["main", "x", "y"])
    assert delivered.update() == 6
    assert [delivered.lines_of(name) for name in ("main", "x", "y")] == [3, 2, 1]
    again = DeliveredLines(aws.client("s3"), bucket, PREFIX, delivered.hours, collectors=["main", "x", "y"])
    deliver(aws, bucket, range(2))
    again.update()
    assert [again.lines_of(name) for name in ("main", "x", "y")] == [5, 2, 1]


def test_lines_whose_objects_have_expired_stay_counted_and_recent_ones_do_not(aws: LocalAws, bucket: str) -> None:
    recent = f"{PREFIX}dt={datetime.now(UTC):%Y-%m-%d}/hour=00"
    deliver(aws, bucket, range(3))
    aws.client("s3").put_object(Bucket=bucket, Key=f"{recent}/a.gz", Body=gzip.compress(b"{}\n"))
    assert count(aws, bucket) == 4
    for key in (f"{FOLDER}/00000.gz", f"{recent}/a.gz"):
        aws.client("s3").delete_object(Bucket=bucket, Key=key)
    assert count(aws, bucket) == 3, "of an old hour, a part has expired; a recent object is lost"
    for name in range(1, 3):
        aws.client("s3").delete_object(Bucket=bucket, Key=f"{FOLDER}/0000{name}.gz")
    assert [count(aws, bucket) for _ in range(2)] == [3, 3]


def test_an_account_of_an_earlier_version_goes_on(aws: LocalAws, bucket: str) -> None:
    s3 = aws.client("s3")
    at = "2026-11-24T05:00:00+00:00"
    hour = {"objects": 1, "bytes": 9, "lines": 7, "old_until": "", "old_objects": 0, "old_bytes": 0, "old_lines": 0}
    state = {"collector": "i-1", "base": 2, "hours": {FOLDER: hour}, "samples": [{"at": at, "acknowledged": 5}]}
    s3.put_object(Bucket=bucket, Key=account.STATE, Body=json.dumps(state).encode())
    stored = account.load_delivered(s3, bucket)
    assert stored.hours[FOLDER] == Hour(objects=1, bytes=9, lines=7)
    account.save_delivered(s3, bucket, DeliveredLines(s3, bucket, PREFIX, stored.hours))
    main = account.load_account(s3, bucket, "main")
    assert (main.base, main.samples[0].acknowledged) == (2, 5)
    assert account.load_account(s3, bucket, "x") == account.Account()
    main.add(Sample(datetime.now(UTC), 6), 8)
    assert main.base == 2, "another instance goes on with the same state"
    main.add(Sample(datetime.now(UTC), 1), 9)
    assert (main.base, len(main.samples)) == (8, 1), "another state folder begins anew"
    account.save_account(s3, bucket, "main", main)
    assert account.load_account(s3, bucket, "main") == main
