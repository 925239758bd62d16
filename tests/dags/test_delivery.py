"""`check_delivery` against faults made on a local AWS: each fails the task of its hop, with numbers, and tells so."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.testing.metrics import metric_points
from localaws.testing.patience import patient
from localaws.testing.server import LocalAws
from localaws.testing.waiting import wait_for
from postrank.aws.glue import Catalogue, Partition
from postrank.heartbeat import Heartbeat
from tests.dags.conftest import NAMES, UNIT, provisioned
from tests.support.fakes.webhook import Webhook, webhook
from tests.support.lake.ranked_lake import post

pytestmark = [pytest.mark.timeout(patient(180)), pytest.mark.in_file_order]

STREAM, DELIVERY = NAMES.streams["posts"], NAMES.delivery_streams["posts"]
RAW = NAMES.buckets["raw"]
ROLE = {"RoleName": NAMES.roles["firehose"], "PolicyName": "refused"}
NOTHING = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}


@pytest.fixture(scope="module")
def breakable(tmp_path_factory) -> Iterator[LocalAws]:
    with provisioned(tmp_path_factory.mktemp("delivery"), UNIT, is_evidence=False) as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture
def check(breakable, hook, run_dag, monkeypatch):
    """Runs the DAG; returns what it told of each task that failed, by the task."""
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WEBHOOK", json.dumps({"conn_type": "http", "password": hook.url}))

    def run() -> dict[str, str]:
        before = len(hook.told)
        run_dag("check_delivery", put_back_records=0)
        told = (message.split("\n", 1) for message in hook.told[before:])
        return {heading.split(".")[1].split(" ")[0]: reason for heading, reason in told}

    return run


@pytest.fixture
def impatient(monkeypatch):
    """Let seconds be what ten minutes are: how old a record on its way to the lake may be."""
    from postrank_airflow.tasks import delivery

    monkeypatch.setattr(delivery, "RESOURCES", replace(NAMES, buffer_seconds=1))
    monkeypatch.setattr(delivery, "SLACK", timedelta(0))


def _beat(aws: LocalAws, last_ack: datetime, **counts: int) -> None:
    """A streamer that was read to its end, and whose last line was acknowledged then."""
    at = last_ack.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    beat = Heartbeat(
        phase="finished", finished=True, collector="test", instance_id="i-0", source="replay", version="0",
        started_at=at, written_at=at, last_source_contact=at, last_ack=at, counts=counts,
    )  # fmt: skip
    aws.client("s3").put_object(Bucket=RAW, Key=NAMES.keys["heartbeat"], Body=beat.to_json())


def _send(aws: LocalAws, number: int = 1) -> None:
    line = json.dumps(post(f"p{number}", "ann", "2026-11-23T10:00:00.000Z")).encode() + b"\n"
    aws.client("kinesis").put_record(StreamName=STREAM, Data=line, PartitionKey="p")


def _newest(aws: LocalAws, namespace: str, metric: str, statistic: str, **dimension: str) -> float | None:
    points = metric_points(aws.client("cloudwatch"), namespace, metric, statistic, **dimension)
    return points[-1][statistic] if points else None


def _firehose(aws: LocalAws, metric: str, statistic: str) -> float | None:
    return _newest(aws, "AWS/Firehose", metric, statistic, DeliveryStreamName=DELIVERY)


def _delivered(aws: LocalAws) -> list[Any]:
    return aws.client("s3").list_objects_v2(Bucket=RAW, Prefix="raw/posts/").get("Contents", [])


def test_a_delivery_that_is_refused_is_told_by_its_metrics_and_by_the_newest_object(breakable, check, impatient):
    iam, long_ago = breakable.client("iam"), datetime.now(UTC) - timedelta(hours=1)
    _beat(breakable, long_ago, read=3, events=2, delivered=1)
    assert check()["require_conservation"].endswith("hop source: 3 in, 2 events + 0 rejected + 0 ignored = 2 out")
    _beat(breakable, long_ago, read=1, events=1, delivered=1)
    iam.put_role_policy(**ROLE, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [NOTHING]}))
    _send(breakable)
    wait_for(
        lambda: _firehose(breakable, "DeliveryToS3.Success", "Average") == 0, timeout=60, what="a refused delivery"
    )
    wait_for(
        lambda: (_firehose(breakable, "DeliveryToS3.DataFreshness", "Maximum") or 0) > 2, timeout=60, what="its age"
    )
    told = check()
    assert f"hop Firehose: DeliveryToS3.DataFreshness of {DELIVERY} is " in told["require_movement"]
    assert f"DeliveryToS3.Success of {DELIVERY} is 0" in told["require_movement"]
    assert "newest S3 object does not exist, last line acknowledged at " in told["require_conservation"]
    assert set(told) == {"require_movement", "require_conservation"}
    iam.delete_role_policy(**ROLE)
    wait_for(lambda: _delivered(breakable), timeout=60, what="what was refused")
    assert "require_conservation" not in check()


def test_lines_that_were_acknowledged_and_never_came_are_counted(breakable, check):
    (entry,) = _delivered(breakable)
    body = gzip.decompress(breakable.client("s3").get_object(Bucket=RAW, Key=entry["Key"])["Body"].read())
    lines = body.count(b"\n")
    _beat(breakable, datetime.now(UTC) - timedelta(hours=1), read=lines + 2, events=lines + 2, delivered=lines + 2)
    assert (
        f"{lines + 2} lines were acknowledged more than 0:10:00 ago, {lines} are in the lake: 2 are missing"
        in (check()["require_conservation"])
    )


def test_an_object_that_is_older_than_the_newest_line_allows_is_told_by_both_times(breakable, check, impatient):
    for key in ("state/delivery.json", "state/delivery/main.json"):
        breakable.client("s3").delete_object(Bucket=NAMES.buckets["lake"], Key=key)
    newest = _delivered(breakable)[-1]["LastModified"]
    _beat(breakable, newest, read=1, events=1, delivered=1)
    assert "require_conservation" not in check()
    last_ack = newest + timedelta(seconds=2)
    _beat(breakable, last_ack, read=1, events=1, delivered=1)
    wait_for(lambda: datetime.now(UTC) > last_ack + timedelta(seconds=1), what="the line to be due")
    assert check()["require_conservation"].endswith(
        f"newest S3 object is from {newest:%Y-%m-%dT%H:%M:%SZ}, last line acknowledged at "
        f"{last_ack:%Y-%m-%dT%H:%M:%SZ}: more than 0:00:01 apart"
    )


def test_readers_that_are_behind_are_told_by_their_age(breakable, check, impatient):
    kinesis = breakable.client("kinesis")
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=STREAM)["Shards"]]

    def behind() -> bool:
        for shard in shards:
            begin = {"ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
            iterator = kinesis.get_shard_iterator(StreamName=STREAM, **begin)["ShardIterator"]
            kinesis.get_records(ShardIterator=iterator, Limit=1)
        age = _newest(breakable, "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", "Maximum", StreamName=STREAM)
        return (age or 0) > 2000

    for number in range(2, 5):
        _send(breakable, number)
    wait_for(behind, timeout=60, every=0.5, what="a reader that is behind")
    assert f"GetRecords.IteratorAgeMilliseconds of {STREAM} is " in check()["require_movement"]


def test_a_closed_minute_that_stream_and_lake_count_otherwise_is_told_with_both_numbers(breakable, check, run_dag):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    first, second = now - timedelta(hours=6), now - timedelta(hours=4)
    minute = f"{first:%Y-%m-%dT%H}:10:00.000Z"
    later = f"{second:%Y-%m-%dT%H}:10:00.000Z"
    _arrive(breakable, "posts", first, [post("w1", "ann", minute)])
    _arrive(breakable, "posts", second, [post("w2", "bob", later)])
    window = {"network": "x", "kind": "tumbling", "final": True}
    told = [{**window, "author_id": "ann", "window_start": minute, "posts": 2}]
    _arrive(
        breakable, "author_windows", first, [*told, {**window, "author_id": "bob", "window_start": later, "posts": 1}]
    )
    assert run_dag("rank_authors", interval_start=None, interval_end=None).state == "success"
    reason = check()["require_equal_windows"]
    assert "hop windows: 1 or more closed minutes differ, the first: " in reason
    assert "author_id ann" in reason
    assert "stream_posts 2, lake_posts 1" in reason


def _arrive(aws: LocalAws, kind: str, hour: datetime, rows: list[dict]) -> None:
    day, clock = f"{hour:%Y-%m-%d}", f"{hour:%H}"
    folder = f"raw/{kind}/dt={day}/hour={clock}/"
    body = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    aws.client("s3").put_object(Bucket=RAW, Key=f"{folder}given.ndjson.gz", Body=body)
    catalogue = Catalogue(aws.client("glue"), NAMES.database)
    catalogue.point(f"raw_{kind}", [Partition((day, clock), f"s3://{RAW}/{folder}")])


def test_a_delivery_stream_that_is_gone_is_named(breakable, check):
    firehose = breakable.client("firehose")
    firehose.delete_delivery_stream(DeliveryStreamName=DELIVERY)
    wait_for(
        lambda: DELIVERY not in firehose.list_delivery_streams()["DeliveryStreamNames"], timeout=30, what="its end"
    )
    assert f"hop Firehose: {DELIVERY} is missing, " in check()["require_active"]
