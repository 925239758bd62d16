"""Hashtags: what is counted of them, what makes one a trend, and what a repeat changes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from postrank.ranking.publish import CheckFailed
from postrank.ranking.request import BadRequest
from postrank.trends.hashtags import LATEST, Trends, hour_of, last_ended
from tests.support.lake.ranked_lake import delete, post

HOUR = datetime(2026, 11, 24, 5, tzinfo=UTC)


def _trends(lake, name: str = "") -> Trends:
    return lake.trends(f"trends {name}")


def _run(lake, hour: datetime = HOUR, top: int = 100) -> list[str]:
    """A run for an hour and what late posts have touched before it; returns the documents' keys."""
    lake.runs += 1
    work = _trends(lake, f"{lake.runs}")
    assert work.begin()
    owed = work.owed()
    hours = [hour, *work.late(hour, owed)]
    lake.write("marts/hashtag_ranking.sql", work.plan(hours, top))
    queries = lake.write("exports/trending_hashtags.sql", work.point(hours, owed))
    work.end()
    return work.publish(hours, queries, {})


def _rank(lake, hour: datetime = HOUR, top: int = 100) -> list[dict]:
    return _document(lake, _run(lake, hour, top)[0])["hashtags"]


def _document(lake, key: str) -> dict:
    body = lake.client("s3").get_object(Bucket=lake.names.buckets["results"], Key=key)["Body"].read()
    return json.loads(body)


def _tagged(post_id: str, at: datetime, *hashtags: str, author: str = "ann") -> dict:
    return post(post_id, author, at.isoformat(timespec="milliseconds"), hashtags=list(hashtags))


def test_a_hashtag_counts_once_a_post_however_it_is_written(lake):
    lake.deliver(
        "2026-11-24T05",
        [
            _tagged("1", HOUR, "Rain", "rain", "Über"),
            _tagged("2", HOUR, "RAIN", author="bob"),
            _tagged("2", HOUR, "RAIN", author="bob"),
            _tagged("3", HOUR, "rain"),
            delete("3"),
            _tagged("4", HOUR - timedelta(milliseconds=1), "rain"),
            _tagged("5", HOUR + timedelta(hours=1), "rain"),
        ],
    )
    lake.rank()
    found = [(row["rank"], row["hashtag"], row["posts"], row["authors"], row["week_posts"]) for row in _rank(lake)]
    assert found == [(1, "über", 1, 1, 0), (2, "rain", 2, 2, 1)]


def test_what_is_always_there_is_no_trend_and_what_rises_is(lake):
    always = [_tagged(f"a{n}", HOUR - timedelta(hours=n), "news") for n in range(10)]
    now = [_tagged(f"n{n}", HOUR, "news") for n in range(3)]
    rising = [_tagged(f"r{n}", HOUR, "storm") for n in range(3)]
    lake.deliver("2026-11-24T05", [*always, *now, *rising])
    lake.rank()
    first, second = _rank(lake)
    assert (first["hashtag"], first["posts"], first["usual_posts"], first["burst"]) == ("storm", 3, 0.0, 3.0)
    assert (second["hashtag"], second["posts"], second["usual_posts"]) == ("news", 4, 1.0)
    assert second["burst"] == pytest.approx((4 - 1) / 2**0.5, abs=1e-6)
    assert [row["hashtag"] for row in _rank(lake, top=1)] == ["storm"]


def test_a_week_is_what_lies_behind_and_no_more(lake):
    week = timedelta(days=7)
    lake.deliver("2026-11-24T05", [_tagged("1", HOUR, "a"), _tagged("2", HOUR - week, "a")])
    lake.deliver("2026-11-24T06", [_tagged("3", HOUR - week - timedelta(milliseconds=1), "a")])
    lake.rank()
    assert [row["week_posts"] for row in _rank(lake)] == [1]


def test_a_repeat_replaces_the_hour_and_an_older_hour_does_not_become_the_newest(lake):
    lake.deliver("2026-11-24T05", [_tagged("1", HOUR, "a"), _tagged("2", HOUR - timedelta(hours=1), "b")])
    lake.rank()
    assert len(_rank(lake)) == 1
    lake.deliver("2026-11-24T06", [_tagged("3", HOUR, "c")])
    lake.rank()
    assert [row["hashtag"] for row in _rank(lake)] == ["a", "c"]
    assert [row["hashtag"] for row in _rank(lake, HOUR - timedelta(hours=1))] == ["b"]
    assert _document(lake, LATEST)["window_start"] == "2026-11-24T05:00:00Z"


def test_a_late_post_ranks_its_hour_again_once(lake):
    earlier = HOUR - timedelta(hours=3)
    lake.deliver("2026-11-24T02", [_tagged("1", earlier, "a")])
    lake.rank()
    assert _run(lake, earlier) == ["trends/hour=2026-11-24T02/hashtags.json"]
    lake.deliver("2026-11-24T05", [_tagged("2", HOUR, "b"), _tagged("3", earlier, "a"), delete("1")])
    lake.deliver("2026-11-24T06", [_tagged("4", earlier - timedelta(days=8), "a")])
    lake.rank()
    assert _run(lake) == ["trends/hour=2026-11-24T05/hashtags.json", "trends/hour=2026-11-24T02/hashtags.json"]
    (again,) = _document(lake, "trends/hour=2026-11-24T02/hashtags.json")["hashtags"]
    assert (again["hashtag"], again["posts"]) == ("a", 1)
    assert _document(lake, LATEST)["window_start"] == "2026-11-24T05:00:00Z"
    assert _run(lake) == ["trends/hour=2026-11-24T05/hashtags.json"]


def test_what_was_ranked_before_its_posts_were_to_be_read_is_still_owed(lake):
    lake.deliver("2026-11-24T05", [_tagged("1", HOUR, "a")])
    work = lake.ranking("stopped")
    work.make_views()
    assert work.begin()
    notes = work.arrived()
    lake.write("staging/arrivals.sql", work.arrivals(notes))
    lines = work.survey(notes)
    lake.write("staging/touched_minutes.sql", work.touched(notes))
    planned = work.layout(notes, lines)
    assert _trends(lake).owed() == {}
    lake.write("marts/post_versions.sql", planned["post_versions"])
    work.point_versions(planned, notes)
    assert list(_trends(lake).owed()) == [work.run.slug]


def test_an_hour_without_hashtags_is_an_empty_answer(lake):
    lake.deliver("2026-11-24T05", [post("1", "ann", "2026-11-24T05:00:00.000Z")])
    lake.rank()
    assert _rank(lake) == []


def test_what_is_out_of_order_is_not_pointed_at(lake):
    lake.deliver("2026-11-24T05", [_tagged("1", HOUR, "a")])
    lake.rank()
    work = _trends(lake)
    (statement,) = work.plan([HOUR], 1)
    lake.athena.run(
        f"create table {statement['table']} with (format = 'PARQUET', external_location = "
        f"'{statement['location']}', partitioned_by = array['window_hour']) as select "
        "cast(2 as bigint) as rank, 'a' as hashtag, "
        "cast(1 as bigint) as posts, cast(1 as bigint) as authors, cast(0 as bigint) as week_posts, "
        "cast(0 as double) as usual_posts, cast(1 as double) as burst, '2026-11-24T05' as window_hour"
    )
    with pytest.raises(CheckFailed, match="hashtag_ranking"):
        work.point([HOUR], {})
    assert lake.catalogue.partitions("hashtag_ranking") == []


def test_there_is_nothing_to_rank_before_there_are_posts(lake):
    assert not _trends(lake).has_posts


def test_only_whole_hours_are_hours():
    assert hour_of("2026-11-24T06:00:00+01:00") == HOUR
    assert last_ended(datetime(2026, 11, 24, 6, 45, tzinfo=UTC)) == HOUR
    for wrong in ("2026-11-24T05:30:00Z", "2026-11-24T05:00:00", "now"):
        with pytest.raises(BadRequest):
            hour_of(wrong)
