"""A scheduled run that was deleted and is created again with the same name, days of arrivals later: no post is lost."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.aws.glue import Catalogue, Partition
from tests.support.lake.ranked_lake import post
from tests.support.stack.running_airflow import NAMES, Running, running_airflow

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

DOWN = timedelta(days=3)
HOUR = timedelta(hours=1)
# As if Airflow had gone down before its last scheduled run, with the one of three days ago due next.
FORGET_LAST = "delete from dag_run where dag_id = 'rank_authors' and run_type = 'scheduled'"
TURN_BACK = (
    "update dag set next_dagrun = next_dagrun - :down, next_dagrun_create_after = next_dagrun_create_after - :down,"
    " next_dagrun_data_interval_start = next_dagrun_data_interval_start - :down,"
    " next_dagrun_data_interval_end = next_dagrun_data_interval_end - :down where dag_id = 'rank_authors'"
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with running_airflow(tmp_path) as airflow:
        yield airflow


def _deliver(running: Running, arrival: datetime, authors: str) -> None:
    """A post of each author, which arrives within the hour in which it is published."""
    raw, prefix = NAMES.buckets["raw"], f"raw/posts/dt={arrival:%Y-%m-%d}/hour={arrival:%H}/"
    posts = [post(f"{arrival:%d%H}-{author}", author, f"{arrival:%Y-%m-%dT%H}:00:01.000Z") for author in authors]
    body = gzip.compress("".join(json.dumps(event) + "\n" for event in posts).encode())
    running.aws.client("s3").put_object(Bucket=raw, Key=f"{prefix}a.ndjson.gz", Body=body)
    catalogue = Catalogue(running.aws.client("glue"), NAMES.database)
    catalogue.point("raw_posts", [Partition((f"{arrival:%Y-%m-%d}", f"{arrival:%H}"), f"s3://{raw}/{prefix}")])


def _scheduled(running: Running) -> list[str]:
    """The scheduled runs."""
    return [run["dag_run_id"] for run in running.dag_runs("rank_authors") if run["run_type"] == "scheduled"]


def _all_of(running: Running, number: int) -> list[str]:
    """The scheduled runs, once there are so many."""
    runs = _scheduled(running)
    return runs if len(runs) == number else []


def test_a_run_with_the_name_of_a_deleted_one_leaves_its_rows_alone(running: Running) -> None:
    newest = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    _deliver(running, newest - DOWN - HOUR, "ab")
    running.airflow.unpause("rank_authors")
    (first,) = wait_for(lambda: _scheduled(running), timeout=120, what="the first scheduled run", every=0.5)
    assert running.ended("rank_authors", first) == "success"
    by_hand = running.airflow.trigger("rank_authors", {"interval_start": None, "interval_end": None})
    assert running.ended("rank_authors", by_hand) == "success"

    running.airflow.call("PATCH", "/api/v2/dags/rank_authors", json={"is_paused": True})
    hours = round(DOWN / HOUR)  # that of the deleted run, which no run is due to ingest, among them
    for number in range(hours):
        _deliver(running, newest - number * HOUR, "bc" if number % 2 else "c")
    engine = sqlalchemy.create_engine(running.database.url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(FORGET_LAST))
        connection.execute(sqlalchemy.text(TURN_BACK), {"down": DOWN})
    engine.dispose()
    running.airflow.unpause("rank_authors")

    # The run that was due when Airflow went down comes first, then the newest one, which takes all that was missed.
    runs = wait_for(lambda: _all_of(running, 2), timeout=300, what="the run that is due and the newest", every=0.5)
    assert [running.ended("rank_authors", run) for run in runs] == ["success", "success"]
    assert len(_scheduled(running)) == 2  # no run for each hour that was missed
    start, end = newest - DOWN - HOUR, newest + HOUR
    interval = {"interval_start": f"{start:%Y-%m-%dT%H}:00:00Z", "interval_end": f"{end:%Y-%m-%dT%H}:00:00Z"}
    whole = running.airflow.trigger("rank_authors", interval)
    assert running.ended("rank_authors", whole) == "success"
    (note,) = [run["note"] for run in running.dag_runs("rank_authors") if run["dag_run_id"] == whole]
    assert "nothing new to ingest" in note  # the scheduled runs ingested every hour
    ranked = {row["author_id"]: int(row["posts"]) for row in running.csv(whole, "all")}
    assert ranked == {"a": 1, "b": 1 + hours // 2, "c": hours}
