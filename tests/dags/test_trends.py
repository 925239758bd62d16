"""`trending_topics` for real: hashtags of the lake, places of a server that speaks as X does, Postgres behind RDS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws.testing.databases import PASSWORD, connect, create
from localaws.testing.patience import patient
from postrank.aws.glue import Catalogue, Partition
from tests.dags.conftest import NAMES
from tests.support.fakes.x import TOKEN, FakeX, fake_x
from tests.support.lake.ranked_lake import post

pytestmark = pytest.mark.timeout(patient(180))

ASIDE = {"hour": None, "places": [], "rebuild": False, "top": 100}
NASTY = ["O'Brien's", 'say "hi"', "🎉 été", "two\nlines", "'; drop table place_trends; --", "%(name)s", "\\", "nul\0"]
TAG = "l'été🎉"


@pytest.fixture(scope="module")
def tagged(aws, deliver, run_dag) -> None:
    """A hashtag in the last hour that ended, and in the one that may end while the tests run."""
    arrived = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moments = {"t1": arrived - timedelta(hours=1), "t2": arrived}
    posts = [post(one, "ann", at.isoformat(timespec="milliseconds"), hashtags=[TAG]) for one, at in moments.items()]
    name = f"{arrived:%Y-%m-%dT%H}"
    deliver(name, posts, "tagged")
    location = f"s3://{NAMES.buckets['raw']}/raw/posts/dt={name[:10]}/hour={name[11:]}/"
    catalogue = Catalogue(aws.client("glue"), NAMES.database)
    catalogue.point("raw_posts", [Partition((name[:10], name[11:]), location)])
    assert run_dag("rank_authors", interval_start=None, interval_end=None).state == "success"


def hour_of(outcome: Any) -> str:
    """The hour that a run ranked: 2026-11-24T05."""
    return str(outcome.returned("publish_hashtags")[0]).split("/")[1].removeprefix("hour=")


@pytest.fixture(scope="module")
def x() -> Iterator[FakeX]:
    with fake_x() as server:
        yield server


@pytest.fixture(scope="module")
def database(aws) -> dict[str, Any]:
    return create(aws, "trends")


@pytest.fixture
def connected(monkeypatch, x, database) -> None:
    extra = {"places": {"1": "Worldwide", "23424977": "United States"}}
    told = {"conn_type": "http", "host": x.url, "password": TOKEN, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_X", json.dumps(told))
    where = {"host": database["Endpoint"]["Address"], "port": database["Endpoint"]["Port"], "schema": "ranks"}
    login = {"conn_type": "postgres", "login": "keeper", "password": PASSWORD}
    monkeypatch.setenv("AIRFLOW_CONN_POSTRANK_WAREHOUSE", json.dumps(where | login))


def rows(database: dict[str, Any], relation: str, hour: str) -> list[tuple[Any, ...]]:
    columns = {"hashtag_trends": "rank, hashtag, posts", "place_trends": "woeid, rank, name, posts, place"}
    with connect(database) as db:
        found = f"select {columns[relation]} from {relation} where window_start = %s order by 1, 2"
        return db.execute(found, (f"{hour}:00:00Z",)).fetchall()


def documents(aws, hour: str) -> dict[str, Any]:
    s3, prefix = aws.client("s3"), f"trends/hour={hour}/"
    found = s3.list_objects_v2(Bucket=NAMES.buckets["results"], Prefix=prefix).get("Contents", [])
    bodies = {one["Key"]: s3.get_object(Bucket=NAMES.buckets["results"], Key=one["Key"])["Body"] for one in found}
    return {key.removeprefix(prefix): json.loads(body.read()) for key, body in bodies.items()}


def test_without_connections_hashtags_are_all_there_is(tagged, run_dag, aws):
    outcome = run_dag("trending_topics", **ASIDE)
    assert outcome.state == "success"
    skipped = ("plan_places", "read_place_trends", "store_places", "store_hashtags")
    assert {outcome.tasks[task] for task in skipped} == {"skipped"}
    assert [row["hashtag"] for row in documents(aws, hour_of(outcome))["hashtags.json"]["hashtags"]] == [TAG]


def test_trends_of_places_keep_rank_time_and_any_name_and_reach_postgres(tagged, run_dag, aws, x, database, connected):
    x.trends = {
        1: {"data": [{"trend_name": name, "tweet_count": rank} for rank, name in enumerate(NASTY)]},
        23424977: {"data": [{"trend_name": "only"}]},
    }
    before = datetime.now(UTC)
    outcome = run_dag("trending_topics", **ASIDE)
    assert outcome.state == "success"
    hour = hour_of(outcome)
    heard = documents(aws, hour)["place=1.json"]
    kept = [name.replace("\0", "\N{REPLACEMENT CHARACTER}") for name in NASTY]
    assert [(row["rank"], row["name"], row["posts"]) for row in heard["trends"]] == [
        (rank, name, rank - 1) for rank, name in enumerate(kept, 1)
    ]
    assert before - timedelta(seconds=1) <= datetime.fromisoformat(heard["heard_at"]) <= datetime.now(UTC)
    places = rows(database, "place_trends", hour)
    assert places == [
        *((1, rank, name, rank - 1, "Worldwide") for rank, name in enumerate(kept, 1)),
        (23424977, 1, "only", None, "United States"),
    ]
    assert rows(database, "hashtag_trends", hour) == [(1, TAG, 1)]
    with connect(database) as db:
        db.execute("delete from place_trends")
        db.execute("delete from hashtag_trends")
        db.execute("delete from loads")
    again = run_dag("trending_topics", **ASIDE | {"places": [23424977], "rebuild": True})
    assert again.state == "success"
    assert rows(database, "place_trends", hour) == places
    assert rows(database, "hashtag_trends", hour) == [(1, TAG, 1)]


def test_a_shorter_answer_replaces_a_longer_one_and_a_busy_x_fails_its_own_branch_only(
    tagged, run_dag, x, database, connected
):
    x.trends = {1: {"data": [{"trend_name": "left"}]}, 23424977: 429}
    outcome = run_dag("trending_topics", **ASIDE)
    assert outcome.state == "failed"
    assert (outcome.tasks["store_hashtags"], outcome.tasks["store_places"]) == ("success", "upstream_failed")
    x.trends[23424977] = {"data": []}
    outcome = run_dag("trending_topics", **ASIDE)
    assert outcome.state == "success"
    assert rows(database, "place_trends", hour_of(outcome)) == [(1, 1, "left", None, "Worldwide")]


def test_x_is_not_asked_about_the_past(tagged, run_dag, connected, x):
    before = len(x.calls)
    outcome = run_dag("trending_topics", **ASIDE | {"hour": "2026-11-23T11:00:00Z"})
    assert (outcome.state, outcome.tasks["read_place_trends"]) == ("success", "skipped")
    assert len(x.calls) == before
