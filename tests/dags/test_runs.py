"""The batch DAGs, run for real on a local AWS."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from postrank.aws.glue import Catalogue, Partition
from tests.dags.conftest import NAMES
from tests.support.lake import post

HOUR = "2026-11-24T01"
INTERVAL = {"interval_start": "2026-11-23T10:00:00Z", "interval_end": "2026-11-23T12:00:00Z"}
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
    second = run_dag("rank_authors", **INTERVAL)
    assert second.state == "success"
    assert second.tasks["arrivals"] == "skipped"
    after = _exported(aws, "granularity=all/ranked_authors.csv")
    assert _without_revision(before) == _without_revision(after)
    assert before.splitlines()[1].endswith(",2,0.666667,,2,1")
    assert after.splitlines()[1].endswith(",2")


def test_a_run_with_nothing_new_and_nothing_asked_says_so_and_does_nothing(catalogued, run_dag):
    run_dag("rank_authors", **INTERVAL)
    idle = run_dag("rank_authors", interval_start=None, interval_end=None)
    assert idle.state == "success"
    assert {task for task, state in idle.tasks.items() if state != "skipped"} == set()


def test_the_hashtags_of_an_hour_are_exported_and_a_repeat_gives_the_same(catalogued, run_dag, aws):
    run_dag("rank_authors", **INTERVAL)
    exports = []
    for _ in range(2):
        assert run_dag("trending_topics", hour="2026-11-23T11:00:00Z").state == "success"
        key = "trends/hour=2026-11-23T11/hashtags.json"
        body = aws.client("s3").get_object(Bucket=NAMES.buckets["results"], Key=key)["Body"].read()
        exports.append(json.loads(body)["hashtags"])
    assert exports[0] == exports[1]
    assert [(row["rank"], row["hashtag"], row["posts"]) for row in exports[0]] == [(1, "rain", 1)]


def test_a_balanced_delivery_passes_and_a_lossy_one_fails(catalogued, run_dag, beat):
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    beat(delivered=len(EVENTS), finished=True, at=long_ago)
    assert run_dag("check_delivery").state == "success"
    beat(delivered=len(EVENTS) + 1, finished=True, at=long_ago)
    assert run_dag("check_delivery").tasks["require_conservation"] == "failed"


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


@pytest.mark.timeout(90)
def test_a_delivered_hour_becomes_a_partition(deliver, run_dag, aws):
    deliver("2026-11-24T02", EVENTS)
    assert run_dag("refresh_catalog").state == "success"
    partitions = aws.client("glue").get_partitions(DatabaseName=NAMES.database, TableName="raw_posts")["Partitions"]
    assert ["2026-11-24", "02"] in [partition["Values"] for partition in partitions]
