"""What happens to Airflow in the middle of a run changes no ranking, and a run that is late is told to humans."""

import gzip
import itertools
import json
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.aws.glue import Catalogue, Partition
from postrank.laptop.failures import RunFailed
from tests.support.lake.ranked_lake import post
from tests.support.stack.running_airflow import NAMES, Running, running_airflow

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

HOURS = ("2026-11-23T10", "2026-11-23T11")
BUSY = ("2026-11-23T14", "2026-11-23T15")  # only the backfills' test has posts there: tests run in any order
LATE = """
from datetime import timedelta
from airflow.sdk import dag, task
from postrank_airflow.dag.deadlines import within

@dag(schedule=None, deadline=within(timedelta(seconds=1)))
def late():
    @task.sensor(poke_interval=5, timeout=3600, mode="reschedule")
    def never():
        return False
    never()

late()
"""

BROKEN = """
from airflow.sdk import dag, task

@dag(schedule=None)
def broken():
    @task
    def divide():
        return 1 / 0
    divide()

broken()
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_airflow(tmp_path_factory.mktemp("faults"), {"late": LATE, "broken": BROKEN}) as airflow:
        yield airflow


@pytest.fixture(scope="module")
def delivered(running: Running) -> None:
    """Two posts of ann in the first hour, one of bob in the second, in one arrival hour."""
    posts = [post("1", "ann", f"{HOURS[0]}:00:00.000Z"), post("2", "ann", f"{HOURS[0]}:00:59.000Z")]
    posts.append(post("3", "bob", f"{HOURS[1]}:59:59.999Z"))
    _deliver(running, "01", posts)


def _deliver(running: Running, hour: str, posts: list[dict[str, Any]]) -> None:
    """Let posts arrive in an hour of 2026-11-24."""
    raw = NAMES.buckets["raw"]
    body = gzip.compress("".join(json.dumps(event) + "\n" for event in posts).encode())
    prefix = f"raw/posts/dt=2026-11-24/hour={hour}/"
    running.aws.client("s3").put_object(Bucket=raw, Key=f"{prefix}a.ndjson.gz", Body=body)
    catalogue = Catalogue(running.aws.client("glue"), NAMES.database)
    catalogue.point("raw_posts", [Partition(("2026-11-24", hour), f"s3://{raw}/{prefix}")])


def _interval(first: str, last: str) -> dict[str, str]:
    return {"interval_start": f"{first}:00:00Z", "interval_end": f"{last}:00:00Z"}


def test_a_scheduler_that_dies_with_its_tasks_loses_nothing(running: Running, delivered: None) -> None:
    whole = _interval(HOURS[0], "2026-11-23T12")
    run_id = running.airflow.trigger("rank_authors", whole)
    running.airflow.unpause("rank_authors")

    def at_work() -> bool:
        tasks = {one["task_id"]: one["state"] for one in running.airflow.tasks("rank_authors", run_id)}
        return tasks.get("plan_partitions") == "success" and "running" in tasks.values()

    wait_for(at_work, timeout=600, what="a task in mid-run", every=0.05)
    scheduler = psutil.Process(running.parts.process_id("scheduler"))
    family = [*scheduler.children(recursive=True), scheduler]
    for process in family:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=patient(10))
    wait_for(lambda: running.parts.process_id("scheduler") != scheduler.pid, what="the scheduler's restart")
    assert running.ended("rank_authors", run_id) == "success"
    undisturbed = running.airflow.trigger("rank_authors", whole)
    assert running.ended("rank_authors", undisturbed) == "success"
    for granularity in ("minute", "hour", "day", "all"):
        assert running.csv(run_id, granularity) == running.csv(undisturbed, granularity)
    assert [(row["author_id"], row["posts"]) for row in running.csv(run_id, "all")] == [("ann", "2"), ("bob", "1")]


def test_two_intervals_that_are_asked_for_at_once_do_not_mix(running: Running, delivered: None) -> None:
    asked = [_interval(HOURS[0], HOURS[1]), _interval(HOURS[1], "2026-11-23T12")]
    runs = [running.airflow.trigger("rank_authors", one) for one in asked]
    running.airflow.unpause("rank_authors")
    assert [running.ended("rank_authors", run) for run in runs] == ["success", "success"]
    found = [[(row["author_id"], row["posts"]) for row in running.csv(run, "all")] for run in runs]
    assert found == [[("ann", "2")], [("bob", "1")]]
    intervals = [running.exports()[run]["interval"] for run in runs]
    assert [one["start"][:13] for one in intervals] == list(HOURS)


def test_backfills_and_a_run_by_hand_at_once_rank_every_post_once(running: Running, delivered: None) -> None:
    """Backfills do not count against `max_active_runs`: four runs are under way, one of which moves pointers."""
    running.airflow.unpause("rank_authors")
    hours = ("02", "03", "04")
    for hour in hours:
        _deliver(running, hour, [post(f"{hour}-{n}", f"cid {n}", f"{BUSY[0]}:0{n}:00.000Z") for n in range(4)])
    backfill = {
        "dag_id": "rank_authors",
        "from_date": "2026-11-24T02:15:00Z",
        "to_date": "2026-11-24T04:15:00Z",
        "max_active_runs": 3,
        "reprocess_behavior": "none",
        "run_backwards": False,
        "dag_run_conf": {},
    }
    running.airflow.call("POST", "/api/v2/backfills", json=backfill)
    by_hand = running.airflow.trigger("rank_authors", _interval(*BUSY))
    runs = wait_for(lambda: _filled(running, 3), timeout=60, what="the backfill's runs", every=0.5)
    assert [running.ended("rank_authors", run) for run in (*runs, by_hand)] == ["success"] * 4
    spans = sorted(_span(running, run) for run in (*runs, by_hand))
    assert any(following[0] < earlier[1] for earlier, following in itertools.pairwise(spans))
    last = running.airflow.trigger("rank_authors", _interval(*BUSY))
    assert running.ended("rank_authors", last) == "success"
    expected = {f"cid {n}": "3" for n in range(4)}
    assert {row["author_id"]: row["posts"] for row in running.csv(last, "all")} == expected
    catalogue = Catalogue(running.aws.client("glue"), NAMES.database)
    assert catalogue.partitions("touched_minutes") == []


def _filled(running: Running, number: int) -> list[str]:
    """The runs of backfills, once there are so many."""
    runs = [run["dag_run_id"] for run in running.dag_runs("rank_authors") if run["run_type"] == "backfill"]
    return runs if len(runs) == number else []


def _span(running: Running, run_id: str) -> tuple[str, str]:
    (run,) = [run for run in running.dag_runs("rank_authors") if run["dag_run_id"] == run_id]
    return run["start_date"], run["end_date"]


def test_the_reason_of_a_failed_run_is_its_tasks_last_error(running: Running) -> None:
    run_id = running.airflow.trigger("broken", {})
    running.airflow.unpause("broken")
    assert running.ended("broken", run_id) == "failed"
    failure = RunFailed("broken", run_id, running.airflow.failed_tasks("broken", run_id), running.parts.logs / "tasks")
    assert "broken failed in divide" in str(failure)
    assert "ZeroDivisionError: division by zero" in str(failure)


def test_a_run_that_is_late_is_told_to_the_topic_and_the_webhook(running: Running) -> None:
    run_id = running.airflow.trigger("late", {})
    running.airflow.unpause("late")
    wait_for(lambda: running.webhook.told, timeout=600, what="a word on the late run", every=0.5)
    words = f"run {run_id} of late is not finished 0:00:01 after it was queued"
    assert running.webhook.told == [f"*Postrank: late is late*\n{words}"]
    published = [call for call in running.aws.call_log() if call["action"] == "Publish"]
    assert published[-1]["decision"] == "allowed"
