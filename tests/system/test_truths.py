"""The whole chain on real posts: what is exported equals what an independent script counted."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from localaws.testing.patience import patient
from tests.support.lake.real_posts import given_data
from tests.support.stack.laptop_run import Stack, exported, running_stack

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(patient(600))]

Row = dict[str, str]
FILES = ("airline-2015", "twitter-v11-sample-2013")


@pytest.fixture(scope="module", params=FILES)
def ranked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, dict[str, Any]]]:
    data = given_data()
    truth = json.loads((data / f"{request.param}.truth.json").read_text())
    with running_stack(tmp_path_factory.mktemp("stack"), [data / f"{request.param}.ndjson.gz"]) as stack:
        stack.wait_until_ranked()
        yield stack, truth["after_deletes"] or truth


def top(rows: list[Row], ranks: int = 10) -> list[list[Any]]:
    return [[row["author_id"], row["author_handle"], int(row["posts"])] for row in rows if int(row["rank"]) <= ranks]


def by_window(rows: list[Row], digits: int) -> dict[str, list[list[Any]]]:
    windows: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        windows[row["window_start"][:digits]].append(row)
    return {start: top(members) for start, members in windows.items()}


def test_the_interval_s_ranking_equals_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    assert top(exported(stack.var / "results", "all")) == truth["top10"]


def test_each_hour_s_ranking_equals_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    rows = by_window(exported(stack.var / "results", "hour"), len("2015-02-23T01"))
    assert {start: rows[start] for start in truth["top10_per_hour"]} == truth["top10_per_hour"]
    assert len(rows) == truth["hours"]


def test_each_day_s_ranking_equals_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    rows = by_window(exported(stack.var / "results", "day"), len("2015-02-23"))
    assert {start: rows[start] for start in truth["top10_per_day"]} == truth["top10_per_day"]


def test_the_busiest_minutes_equal_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    rows = exported(stack.var / "results", "minute")
    busiest = sorted(rows, key=lambda row: (-int(row["posts"]), row["window_start"], row["author_id"]))
    assert [[row["window_start"][:16], *one] for row, one in zip(busiest, top(busiest, 100), strict=True)][
        :10
    ] == truth["tumbling_60s"]


def test_the_highest_sixty_second_peaks_equal_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    peaks: dict[tuple[str, str], int] = defaultdict(int)
    # Each granularity is cut at its own top rows: an author with few posts in all may still lead a minute.
    results = stack.var / "results"
    for row in [*exported(results, "minute"), *exported(results, "all")]:
        author = (row["author_id"], row["author_handle"])
        peaks[author] = max(peaks[author], int(row["peak_60s"]))
    best = sorted(peaks.items(), key=lambda one: (-one[1], one[0][0]))[:10]
    assert [[author_id, handle, peak] for (author_id, handle), peak in best] == truth["sliding_60s_max"]


def test_every_count_of_the_lake_equals_the_truth(ranked: tuple[Stack, dict[str, Any]]) -> None:
    stack, truth = ranked
    latest = json.loads((stack.var / "results" / "rankings" / "latest.json").read_text())
    manifest = json.loads((stack.var / "results" / "rankings" / f"run={latest['run']}" / "manifest.json").read_text())
    assert manifest["duplicates"] == truth["duplicates"]
