"""What a ranking run decides to write."""

import dataclasses
from datetime import UTC, datetime

import pytest

from postrank.aws.resources import Resources
from postrank.ranking.arrivals import hours_ended_in
from postrank.ranking.catalog_state import CatalogState, Touched
from postrank.ranking.plan import Horizon, Layout, days_near, touched
from postrank.ranking.request import RankingRequest
from postrank.ranking.run_identity import Run

NAMES = Resources.of("test", "123456789012")
RUN = Run("manual__2026-11-24T02:10:00.123456+00:00")


def _day(day: str, first: str = "10:00", last: str = "10:30", hour: str = "2026-11-24T05") -> Touched:
    return Touched.of(
        {
            "arrival_interval": hour,
            "posted_date": day,
            "first_minute": f"{day} {first}:00.000",
            "last_minute": f"{day} {last}:00.000",
            "is_ahead": "false",
            "lines": "1",
            "late_lines": "0",
        }
    )


def _layout(*days: Touched, catalog: CatalogState | None = None, params: dict | None = None, data_hours=()) -> Layout:
    return Layout(
        run=RUN,
        resources=NAMES,
        request=RankingRequest.of(params or {}),
        catalog=catalog or CatalogState(post_days={}, minute_days=frozenset(), debt_runs=()),
        touched=days,
        arrival_hours=["2026-11-24T05"],
        data_hours=data_hours,
        has_corrections=False,
    )


def _catalog(*days: str) -> CatalogState:
    return CatalogState(
        post_days=dict.fromkeys(days, frozenset({"2026-11-20"})), minute_days=frozenset(days), debt_runs=()
    )


def test_names_of_a_run_are_safe_and_the_same_at_every_retry():
    assert RUN.slug == Run(RUN.run_id).slug
    assert Run("a/b' c").slug.replace("-", "").isalnum()
    assert Run("a:b").slug != Run("a.b").slug


def test_an_archive_of_many_days_is_written_in_statements_of_at_most_a_hundred_partitions():
    days = [_day(f"20{year:02}-{month:02}-01") for year in range(10, 30) for month in range(1, 13)]
    layout = _layout(*days)
    for relation, key in (("post_versions", "pairs"), ("author_minutes", "days"), ("author_ranking", "days")):
        statements = layout.statements()[relation]
        assert max(len(params[key]) for params in statements) <= 100
        assert len({params["table"] for params in statements}) == len(statements) >= 3
    assert [params["windows"] for params in layout.author_ranking()][-1] == ["all"]


def test_one_statement_ranks_all_windows_of_a_short_interval():
    (ranking,) = _layout(_day("2026-11-24")).author_ranking()
    assert ranking["windows"] == ["minute", "hour", "day", "all"]


def test_a_post_in_the_last_minute_of_a_day_counts_in_the_sliding_minute_of_the_next():
    (minutes,) = _layout(_day("2026-11-23", last="23:59"), catalog=_catalog("2026-11-24")).author_minutes()
    assert minutes["days"] == ["2026-11-23", "2026-11-24"]
    (minutes,) = _layout(_day("2026-11-23", last="23:58"), catalog=_catalog("2026-11-24")).author_minutes()
    assert minutes["days"] == ["2026-11-23"]


def test_the_day_after_a_touched_one_is_ranked_again_where_it_has_posts():
    (ranking,) = _layout(_day("2026-11-23"), catalog=_catalog("2026-11-24", "2026-11-25")).author_ranking()
    assert ranking["days"] == ["2026-11-23", "2026-11-24"]


def test_an_asked_interval_is_ranked_whole_though_nothing_arrived():
    interval = {"interval_start": "2026-11-20T00:00:00Z", "interval_end": "2026-11-22T00:00:00Z"}
    layout = _layout(catalog=_catalog("2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"), params=interval)
    assert layout.post_versions() == layout.author_minutes() == []
    (ranking,) = layout.author_ranking()
    assert ranking["days"] == ["2026-11-20", "2026-11-21"]
    assert ranking["read_days"] == ["2026-11-19", "2026-11-20", "2026-11-21"]


def test_the_day_before_the_whole_interval_is_read_also_where_the_whole_is_ranked_alone():
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 7) for day in range(2, 27)]
    interval = {"interval_start": "2026-01-02T00:00:00Z", "interval_end": "2026-06-30T00:00:00Z"}
    *parts, whole = _layout(catalog=_catalog("2026-01-01", *days), params=interval).author_ranking()
    assert (len(parts), whole["windows"]) == (2, ["all"])
    assert whole["read_days"] == ["2026-01-01", *days]
    for part in parts:
        before = {f"2026-{int(day[5:7]):02}-{int(day[8:]) - 1:02}" for day in part["days"]}
        assert set(part["read_days"]) == {*part["days"], *(before & {"2026-01-01", *days})}


def test_a_scheduled_run_ranks_its_hour_as_the_whole():
    (ranking,) = _layout(_day("2026-11-24"), data_hours=["2026-11-24T05"]).author_ranking()
    assert (ranking["all_from"], ranking["all_to"]) == ("2026-11-24T05:00:00Z", "2026-11-24T06:00:00Z")
    assert not ranking["has_interval"]


def test_an_export_knows_on_which_dates_its_posts_arrived():
    (export,) = _layout(_day("2026-11-23"), catalog=_catalog("2026-11-23")).exports()
    assert export["arrival_dates"] == ["2026-11-20", "2026-11-24"]


def test_nothing_touched_and_nothing_asked_means_nothing_to_rank():
    assert _layout().author_ranking() == _layout().exports() == []


@pytest.mark.parametrize("day", ["1901-01-01", "0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_others(day):
    statements = _layout(_day(day)).statements()
    assert statements["author_minutes"][0]["days"] == [day]
    assert day in statements["author_ranking"][0]["days"]


def test_other_versions_are_searched_among_thirty_days_by_schedule_and_everywhere_by_hand():
    (scheduled,) = touched(RUN, NAMES, ["2026-11-24T05"], Horizon.scheduled())
    (by_hand,) = touched(RUN, NAMES, ["2026-11-24T05"], Horizon.endless())
    assert scheduled["versions_since"] == "2026-10-25T05"
    assert by_hand["versions_since"] == ""


def test_a_day_too_far_ahead_is_written_but_not_ranked():
    far = dataclasses.replace(_day("2999-12-31"), is_ahead=True, lines=3)
    layout = _layout(far, _day("2026-11-23"))
    assert [pair.split("/")[1] for pair in layout.post_versions()[0]["pairs"]] == ["2026-11-23", "2999-12-31"]
    assert layout.author_minutes()[0]["days"] == ["2026-11-23"]
    assert layout.exports()[0]["all_to"].startswith("2026-11-2")
    assert layout.lines_ahead == 3
    assert _layout(far).author_ranking() == []


def test_arrival_hours_of_an_interval_are_those_that_end_in_it():
    start, end = datetime(2026, 11, 24, 5, 15, tzinfo=UTC), datetime(2026, 11, 24, 6, 15, tzinfo=UTC)
    assert hours_ended_in(start, end) == ["2026-11-24T05"]
    assert hours_ended_in(start.replace(minute=0), end.replace(minute=0)) == ["2026-11-24T05"]
    assert hours_ended_in(start, start.replace(minute=45)) == []


@pytest.mark.parametrize(
    ("params", "days", "hours", "near"),
    [
        ({}, ["2026-11-20", "2026-11-24"], [], ("2026-11-19", "2026-11-25")),
        ({}, ["2026-11-24"], ["2026-11-23T23"], ("2026-11-22", "2026-11-25")),
        (
            {"interval_start": "2026-01-01T00:00:00Z", "interval_end": "2026-01-02T00:00:00Z"},
            ["2026-01-05"],
            [],
            ("2025-12-31", "2026-01-06"),
        ),
    ],
)
def test_a_run_asks_the_catalogue_only_about_days_that_it_may_need(params, days, hours, near):
    expression = days_near(RankingRequest.of(params), [_day(day) for day in days], hours)
    assert expression == f"posted_date >= '{near[0]}' and posted_date <= '{near[1]}'"


def test_an_interval_open_on_one_side_may_need_every_day():
    assert days_near(RankingRequest.of({"interval_start": "2026-01-01T00:00:00Z"}), [_day("2026-01-05")], []) == ""
