"""The batch DAGs, run for real on a local AWS."""

import base64
import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.aws.glue import Catalogue, Partition
from postrank.collectors.registry import Entry, Registry
from postrank.deploy.code_version import checkout_version
from tests.dags.conftest import NAMES
from tests.support.lake.ranked_lake import post

ROOT = Path(__file__).resolve().parents[2]
HOUR = "2026-11-24T01"
INTERVAL = {"interval_start": "2026-11-23T10:00:00Z", "interval_end": "2026-11-23T12:00:00Z", "publish": True}
# What is put back on the stream is delivered while other tests rank: outside of INTERVAL.
UNRANKED = "2026-11-22T10:00:00.000Z"
EVENTS = [
    post("1", "ann", "2026-11-23T10:00:00.000Z"),
    post("2", "ann", "2026-11-23T10:00:59.000Z"),
    post("3", "bob", "2026-11-23T11:59:59.999Z", hashtags=["Rain"]),
]


@pytest.fixture(scope="module")
def catalogued(aws, deliver):
    deliver(HOUR, EVENTS)
    location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={HOUR[:10]}/hour={HOUR[11:]}/"
    catalogue = Catalogue(aws.client("glue"), NAMES.database)
    catalogue.point("raw_posts", [Partition((HOUR[:10], HOUR[11:]), location)])


def _exported(aws, name: str) -> str:
    latest = aws.client("s3").get_object(Bucket=NAMES.buckets["results"], Key="rankings/latest.json")["Body"].read()
    prefix = json.loads(latest)["manifest"].rsplit("/", 1)[0]
    return aws.client("s3").get_object(Bucket=NAMES.buckets["results"], Key=f"{prefix}/{name}")["Body"].read().decode()


def _without_revision(csv: str) -> list[str]:
    return [line.rsplit(",", 1)[0] for line in csv.splitlines()]


def test_a_ranking_is_exported_and_a_second_one_differs_in_its_revision_only(catalogued, run_dag, aws):
    first = run_dag("rank_authors", **INTERVAL)
    assert first.state == "success"
    before = _exported(aws, "granularity=all/ranked_authors.csv")
    assert re.fullmatch(r"ranked 2 hours, 3 posts; (ingested \d+ lines?, \d+ late|nothing new to ingest)", first.note)
    second = run_dag("rank_authors", **INTERVAL)
    assert second.state == "success"
    assert second.note == "ranked 2 hours, 3 posts; nothing new to ingest"
    assert second.tasks["arrivals"] == "skipped"
    after = _exported(aws, "granularity=all/ranked_authors.csv")
    assert _without_revision(before) == _without_revision(after)
    best = before.splitlines()[1]
    assert ",2,0.666667,,2," in best
    revisions = [int(csv.splitlines()[1].rsplit(",", 1)[1]) for csv in (before, after)]
    assert revisions[1] == revisions[0] + 1
    listed = [one["key"].rsplit("/", 1)[1] for one in json.loads(_exported(aws, "documents.json"))["documents"]]
    assert listed == ["report.html", "hashtags.json", "posts.json", "ledgers.json"]
    told = json.loads(_exported(aws, "posts.json"))
    day = {"posted_date": "2026-11-23", "type": "original", "posts": 3, "authors": 2, "mean_length": 9.0}
    assert told["types"] == [day]
    assert told["authors"][0] == {"network": "x", "author_id": "ann", "posts": 2, "mean_length": 9.0}
    assert "Mean length" in _exported(aws, "report.html")


def test_a_run_with_nothing_new_and_nothing_asked_says_so_and_does_nothing(catalogued, run_dag):
    run_dag("rank_authors", **INTERVAL)
    idle = run_dag("rank_authors", interval_start=None, interval_end=None)
    assert idle.state == "success"
    assert {task for task, state in idle.tasks.items() if state != "skipped"} == set()
    assert idle.note == "nothing arrived in any hour that has not been ranked already"
    assert idle.version == checkout_version(ROOT)


def test_a_persons_note_stays_and_an_own_one_is_written_again(catalogued, run_dag, dags):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from postrank_airflow.ui import note_listener

    run_dag("rank_authors", **INTERVAL)
    outcome = run_dag("rank_authors", interval_start=None, interval_end=None)
    text = f"{outcome.note}; version {outcome.version}"
    with create_session() as session:
        newest = select(DagRun).where(DagRun.dag_id == "rank_authors").order_by(DagRun.id.desc()).limit(1)
        run = session.scalars(newest).one()
        run.dag = dags["rank_authors"]
        for author, note in (("ann", "looked at it"), (note_listener.AUTHOR, text)):
            run.dag_run_note.content = "looked at it"
            run.dag_run_note.user_id = author
            note_listener.on_dag_run_success(run, "")
            assert run.note == note


def test_the_hashtags_of_an_hour_are_exported_and_a_repeat_gives_the_same(catalogued, run_dag, aws):
    run_dag("rank_authors", **INTERVAL)
    exports = []
    for _ in range(2):
        run = run_dag("trending_topics", hour="2026-11-23T11:00:00Z")
        assert run.state == "success"
        reason = "no trends requested from X: there is no connection postrank_x"
        assert sorted(run.note.split("; ")) == [reason, "ranked the hashtags of 2026-11-23T11"]
        key = "trends/hour=2026-11-23T11/hashtags.json"
        body = aws.client("s3").get_object(Bucket=NAMES.buckets["results"], Key=key)["Body"].read()
        exports.append(json.loads(body)["hashtags"])
    assert exports[0] == exports[1]
    assert [(row["rank"], row["hashtag"], row["posts"]) for row in exports[0]] == [(1, "rain", 1)]


def test_a_balanced_delivery_passes_and_a_lossy_one_fails(catalogued, unaccounted, run_dag, beat, aws):
    long_ago, lines = datetime.now(UTC) - timedelta(hours=1), _delivered_lines(aws)
    beat(delivered=lines, finished=True, at=long_ago)
    balanced = run_dag("check_delivery")
    assert balanced.tasks["require_conservation"] == "success"
    assert f"acknowledged {lines}, in the lake {lines}" in balanced.note
    beat(delivered=lines + 1, finished=True, at=long_ago)
    lossy = run_dag("check_delivery")
    assert lossy.tasks["require_conservation"] == "failed"
    assert lossy.note.startswith("Failed in require_conservation")
    assert "hop delivery: " in lossy.note
    assert "1 are missing" in lossy.note


def test_each_collector_is_held_to_its_own_lines(catalogued, unaccounted, run_dag, beat, aws, deliver):
    own = [post(f"own{n}", "ann", "2026-11-23T12:00:00.000Z", collector="x-brands") for n in range(3)]
    deliver("2026-11-23T12", own, name="x-brands")
    deliver("2026-11-23T12", [post(f"more{n}", "ann", "2026-11-23T12:00:00.000Z") for n in range(3)], name="more")
    theirs = _delivered_lines(aws, b'"x-brands"')
    lines = _delivered_lines(aws) - theirs
    registry = Registry(aws.client("s3"), NAMES)
    registry.publish([Entry("main"), Entry("x-brands")])
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    beat(delivered=lines, finished=True, at=long_ago)
    silent = run_dag("check_delivery")
    beat(delivered=theirs, finished=True, at=long_ago, collector="x-brands")
    balanced = run_dag("check_delivery")
    beat(delivered=theirs + 2, finished=True, at=long_ago, collector="x-brands")
    lossy = run_dag("check_delivery")
    registry.publish([])
    states = [outcome.of_collector["x-brands"]["require_conservation"] for outcome in (silent, balanced, lossy)]
    assert states == ["failed", "success", "failed"]
    assert {run.of_collector["main"]["require_conservation"] for run in (silent, balanced, lossy)} == {"success"}
    assert f"x-brands: acknowledged {theirs}, in the lake {theirs}" in balanced.note
    assert f"x-brands: hop delivery: {theirs + 2} lines were acknowledged" in lossy.note
    assert f"acknowledged {lines}, in the lake {lines}" in lossy.note


def _delivered_lines(aws, part: bytes = b"") -> int:
    """All lines of the raw zone, or those that hold a text: other tests deliver to it, too."""
    s3, bucket = aws.client("s3"), NAMES.buckets["raw"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="raw/posts/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return sum(part in line for body in bodies for line in gzip.decompress(body).splitlines())


def _fail(aws, events: list[dict], name: str = "failed") -> str:
    """Leave an error object, as Firehose does with records that it cannot process."""
    records = [
        {
            "attemptsMade": 4,
            "arrivalTimestamp": 1700000000000,
            "errorCode": "Lambda.FunctionError",
            "errorMessage": "it failed",
            "attemptEndingTimestamp": 1700000001000,
            "rawData": base64.b64encode(json.dumps(event).encode() + b"\n").decode(),
        }
        for event in events
    ]
    key = f"errors/posts/processing-failed/dt={datetime.now(UTC):%Y-%m-%d}/hour=00/{name}"
    body = "".join(json.dumps(record) + "\n" for record in records).encode()
    aws.client("s3").put_object(Bucket=NAMES.buckets["raw"], Key=key, Body=body)
    return key


def _taken(aws) -> list[dict]:
    """Every line on the posts stream."""
    kinesis, found = aws.client("kinesis"), []
    for shard in kinesis.list_shards(StreamName=NAMES.streams["posts"])["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=NAMES.streams["posts"], ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = kinesis.get_records(ShardIterator=iterator)["Records"]
        found += [json.loads(line) for record in records for line in record["Data"].splitlines()]
    return found


def test_what_firehose_could_not_deliver_fails_the_check_until_it_is_put_back_once(catalogued, run_dag, beat, aws):
    beat(delivered=0, finished=True, at=datetime.now(UTC))
    before = _delivered_lines(aws)
    key = _fail(aws, [post(f"e{n}", "ann", UNRANKED) for n in range(3)])
    try:
        seen = run_dag("check_delivery", put_back_records=0)
        assert (seen.tasks["put_errors_back"], seen.tasks["require_no_errors"]) == ("skipped", "failed")
        some = run_dag("check_delivery", put_back_records=2)
        assert some.returned("put_errors_back") == "2 records put back on their streams"
        assert some.tasks["require_no_errors"] == "failed"
        rest = run_dag("check_delivery", put_back_records=100)
        assert rest.returned("put_errors_back") == "1 records put back on their streams"
        assert rest.tasks["require_no_errors"] == "success"
        none = run_dag("check_delivery", put_back_records=100)
        assert none.returned("put_errors_back") == "0 records put back on their streams"
        assert sorted(line["post_id"] for line in _taken(aws)) == ["e0", "e1", "e2"]
        # Lines under way would count as duplicates in a later test.
        wait_for(lambda: _delivered_lines(aws) == before + 3, what="the lines that were put back")
    finally:
        aws.client("s3").delete_object(Bucket=NAMES.buckets["raw"], Key=key)


def test_error_records_are_counted_and_sampled_without_their_data(catalogued, aws):
    from postrank.delivery.error_records import ErrorRecords, Unreadable, describe

    key = _fail(aws, [post("secret", "ann", "2026-11-23T10:00:00.000Z")] * 2, name="sampled")
    records = ErrorRecords(aws.client("s3"), "posts", NAMES.buckets["raw"], NAMES.buckets["lake"], "errors/posts/")
    try:
        (failed,) = records.of_days([datetime.now(UTC).date()])
        assert describe("posts", [failed]) == (
            f"2 records of posts in 1 error objects (2 Lambda.FunctionError), the newest in {key}: "
            "it failed after 4 attempts"
        )
        aws.client("s3").put_object(Bucket=NAMES.buckets["raw"], Key=key, Body=b"no JSON\n")
        (failed,) = records.of_days([datetime.now(UTC).date()])
        with pytest.raises(Unreadable, match="line 1, is not an error record of Firehose"):
            records.put_back(failed, None, 10)
    finally:
        aws.client("s3").delete_object(Bucket=NAMES.buckets["raw"], Key=key)


@pytest.mark.parametrize(
    "conf",
    [
        {"top": "1; drop table posts"},
        {"top": 0},
        {"order": "posts desc; select 1"},
        {"networks": ["x') or 1=1 --"]},
        {"granularities": ["week"]},
        {"interval_start": "yesterday"},
    ],
)
def test_bad_params_are_refused_when_the_run_is_asked_for(run_dag, conf):
    with pytest.raises(Exception, match=r"(?s)Invalid input for param"):
        run_dag("rank_authors", **conf)


def test_a_bad_hour_is_refused_when_the_run_is_asked_for(run_dag):
    with pytest.raises(Exception, match=r"(?s)Invalid input for param"):
        run_dag("trending_topics", hour="2026-11-23T11:00:00Z' or 1=1 --")


@pytest.mark.timeout(patient(90))
def test_a_delivered_hour_becomes_a_partition(deliver, run_dag, aws):
    deliver("2026-11-24T02", EVENTS)
    refreshed = run_dag("refresh_catalog")
    assert refreshed.state == "success"
    assert refreshed.note.startswith("raw_posts: ")
    partitions = aws.client("glue").get_partitions(DatabaseName=NAMES.database, TableName="raw_posts")["Partitions"]
    assert ["2026-11-24", "02"] in [partition["Values"] for partition in partitions]
