"""An hour's hashtags are true after each arrival; the week before it is as of when the hour was ranked last."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.patience import patient
from tests.support.lake.ranked_lake import delete, post

ARRIVALS = ("2026-11-24T06", "2026-11-24T07", "2026-11-24T08")
HOURS = [datetime(2026, 11, 24, 5, tzinfo=UTC) - timedelta(hours=back) for back in (0, 1, 2, 30, 167, 168)]
WEEK = timedelta(days=7)
Row = tuple[int, str, int, int, int, float]


@st.composite
def _streams(draw: st.DrawFn) -> list[list[dict]]:
    """What three arrival hours bring: posts with hashtags, late ones among them, some edited, some deleted."""
    arrivals: list[list[dict]] = [[], [], []]
    for number in range(draw(st.integers(1, 10))):
        at = draw(st.sampled_from(HOURS)) + timedelta(minutes=draw(st.integers(0, 59)))
        tags = draw(st.lists(st.sampled_from(("rain", "Rain", "sun", "")), max_size=3))
        came = draw(st.integers(0, 2))
        author = draw(st.sampled_from(("ann", "bob")))
        first = post(f"p{number}", author, at.isoformat(timespec="milliseconds"), hashtags=tags)
        arrivals[came].append(first)
        if draw(st.booleans()):
            changed = {**first, "kind": "edit", "hashtags": ["edited"], "received_at": "2026-11-24T09:00:00.000Z"}
            arrivals[draw(st.integers(came, 2))].append(draw(st.sampled_from((changed, delete(f"p{number}")))))
    return arrivals


def _surviving(events: list[dict]) -> list[tuple[datetime, str, set[str]]]:
    """Each post that counts, in its newest version: when, by whom, its hashtags."""
    newest = {event["post_id"]: event for event in sorted(events, key=lambda one: one["kind"] != "post")}
    return [
        (datetime.fromisoformat(one["posted_at"]), one["author_id"], {tag.lower() for tag in one["hashtags"] if tag})
        for one in newest.values()
        if one["kind"] != "delete"
    ]


def _ranked(events: list[dict], hour: datetime) -> list[Row]:
    """The rules of `hashtag_ranking` in plain Python."""
    posts = _surviving(events)
    now = [one for one in posts if hour <= one[0] < hour + timedelta(hours=1)]
    week = [one for one in posts if hour - WEEK <= one[0] < hour]
    known = max(len({at.replace(minute=0) for at, _, tags in week if tags}), 1)
    counts, before = (Counter(tag for *_, tags in some for tag in tags) for some in (now, week))
    rows = [
        (tag, count, len({author for _, author, tags in now if tag in tags}), before[tag], before[tag] / known)
        for tag, count in counts.items()
    ]
    bursts = [(*row[:4], round((row[1] - row[4]) / sqrt(row[4] + 1), 6)) for row in rows]
    return [(n, *row) for n, row in enumerate(sorted(bursts, key=lambda row: (-row[4], -row[1], row[0])), 1)]


def _trend(lake, number: int) -> list[datetime]:
    """A run for the newest hour and what late posts have touched; returns the hours it has ranked."""
    work = lake.trends(f"trends {number}")
    assert work.begin()
    owed = work.owed()
    hours = [HOURS[0], *work.late(HOURS[0], owed)]
    lake.write("marts/hashtag_ranking.sql", work.plan(hours, 100))
    work.point(hours, owed)
    work.end()
    return hours


def _shown(lake, hour: datetime) -> list[Row]:
    rows = lake.rows(
        "select rank, hashtag, posts, authors, week_posts, burst from hashtag_ranking "
        f"where window_hour = '{hour:%Y-%m-%dT%H}' order by rank"
    )
    return [(*(int(v) if v.isdigit() else v for v in list(row.values())[:5]), float(row["burst"])) for row in rows]


@pytest.mark.timeout(patient(600))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=_streams())
def test_an_hour_s_hashtags_are_true_after_every_arrival_and_its_week_as_of_its_last_ranking(new_lake, arrivals):
    lake, seen, truth = new_lake(), [], {}
    for number, (arrival, events) in enumerate(zip(ARRIVALS, arrivals, strict=True)):
        if not events:
            continue
        lake.deliver(arrival, events)
        seen += events
        lake.rank([arrival])
        for hour in _trend(lake, number):
            truth[hour] = _ranked(seen, hour)
        for hour, expected in truth.items():
            assert _shown(lake, hour) == expected
            now = {row[1]: row[2:4] for row in _ranked(seen, hour)}
            assert {row[1]: row[2:4] for row in expected} == now
