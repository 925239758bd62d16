"""Real posts with independently counted truths are ranked exactly."""

import gzip
import json
from collections import defaultdict
from datetime import datetime

import pytest

from tests.support.lake.ranked_lake import delete, post
from tests.support.lake.real_posts import given_data

INTERVALS = {
    "airline-2015": ("2015-02-17T07:36:00Z", "2015-02-24T19:54:00Z"),
    "twitter-v11-sample-2013": ("2013-08-10T11:00:00Z", "2013-08-10T11:03:00Z"),
}


def given_events(name: str) -> list[dict]:
    with gzip.open(given_data() / f"{name}.ndjson.gz") as lines:
        records = [json.loads(line) for line in lines]
    if "kind" in records[0]:
        return [{**record, "received_at": "2026-11-24T05:00:00.000Z"} for record in records]
    return [_from_v11(record) for record in records]


def _from_v11(record: dict) -> dict:
    if "delete" in record:
        return delete(record["delete"]["status"]["id_str"])
    written = datetime.strptime(record["created_at"], "%a %b %d %H:%M:%S %z %Y")
    return post(
        record["id_str"],
        record["user"]["id_str"],
        written.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        author_handle=record["user"]["screen_name"],
        repost_of=record.get("retweeted_status", {}).get("id_str"),
    )


def _top(rows: list[dict], count: int = 10) -> list[list]:
    return [[row["author_id"], row["author_handle"], row["posts"]] for row in rows[:count]]


def _windows(rows: list[dict], length: int) -> dict[str, list[dict]]:
    found = defaultdict(list)
    for row in rows:
        found[row["window_start"][:length]].append(row)
    return found


@pytest.mark.parametrize("name", INTERVALS)
def test_equals_the_truth_in_every_window(lake, name):
    truth = json.loads((given_data() / f"{name}.truth.json").read_text(encoding="utf-8"))
    events = given_events(name)
    counted = truth["after_deletes"] or truth
    start, end = INTERVALS[name]
    middle = len(events) // 2
    lake.deliver("2026-11-24T04", events[:middle])
    lake.deliver("2026-11-24T05", events[middle:])
    manifest = lake.rank(interval_start=start, interval_end=end, top=100_000)

    assert _top(lake.results.rows("all")) == counted["top10"]
    hours, days = _windows(lake.results.rows("hour"), 13), _windows(lake.results.rows("day"), 10)
    for hour, top in counted["top10_per_hour"].items():
        assert _top(hours[hour]) == top, hour
    for day, top in counted["top10_per_day"].items():
        assert _top(days[day]) == top, day
    minutes = _windows(lake.results.rows("minute"), 16)
    for minute, author, _, posts in counted["tumbling_60s"]:
        assert posts in {row["posts"] for row in minutes[minute] if row["author_id"] == author}
    by_peak = sorted(lake.results.rows("all"), key=lambda row: (-row["peak_60s"], row["author_id"]))
    assert [[row["author_id"], row["author_handle"], row["peak_60s"]] for row in by_peak][:10] == counted[
        "sliding_60s_max"
    ]
    assert manifest["duplicates"] == truth["duplicates"]
