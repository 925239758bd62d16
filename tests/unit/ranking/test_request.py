"""What a ranking may be asked for, and what it refuses."""

import pytest

from postrank.ranking.request import BadRequest, RankingRequest
from postrank.ranking.sql_literals import boolean, integer, name, text, texts, timestamp


def test_ranks_everything_as_far_as_it_arrived_unless_told_otherwise():
    request = RankingRequest.of({})
    assert request.granularities == ("minute", "hour", "day", "all")
    assert (request.start, request.end, request.scope, request.top) == (None, None, "*", 100)
    assert request.settles


def test_understands_every_offset_as_utc():
    request = RankingRequest.of({"interval_start": "2026-11-24T05:00:00+02:00", "interval_end": "2026-11-24T04:00Z"})
    assert request.start.isoformat() == "2026-11-24T03:00:00+00:00"


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"interval_start": "yesterday"}, "interval_start"),
        ({"interval_start": "2026-13-01T00:00:00Z"}, "interval_start"),
        ({"interval_start": "2026-11-24T05:00:30Z"}, "interval_start"),
        ({"interval_start": "2026-11-24T05:00:00Z' or '1'='1"}, "interval_start"),
        ({"interval_start": "2026-11-24T05:00:00Z", "interval_end": "2026-11-24T05:00:00Z"}, "interval_end"),
        ({"granularities": ["week"]}, "granularities"),
        ({"networks": ["x'; drop table posts; --"]}, "networks"),
        ({"networks": ["X y"]}, "networks"),
        ({"top": 0}, "top"),
        ({"top": True}, "top"),
        ({"top": "10; select 1"}, "top"),
        ({"order": "author_id"}, "order"),
    ],
)
def test_refuses_what_has_no_meaning_and_names_the_parameter(params, parameter):
    with pytest.raises(BadRequest) as refused:
        RankingRequest.of(params)
    assert refused.value.parameter == parameter


def test_rankings_over_something_else_count_their_own_revisions():
    scopes = {
        RankingRequest.of(params).scope
        for params in (
            {},
            {"networks": ["x"]},
            {"networks": ["x", "bluesky"]},
            {"include_reposts": False},
            {"order": "peak_60s"},
            {"networks": ["x"], "include_reposts": False},
        )
    }
    assert len(scopes) == 6


def test_the_order_of_networks_does_not_matter():
    assert RankingRequest.of({"networks": ["x", "a"]}).scope == RankingRequest.of({"networks": ["a", "x", "a"]}).scope


def test_a_narrower_ranking_leaves_the_debt_of_others_unpaid():
    assert not RankingRequest.of({"granularities": ["hour"]}).settles
    assert not RankingRequest.of({"networks": ["x"]}).settles


def test_values_cannot_leave_their_literals():
    assert text("a'; drop table posts; --") == "'a''; drop table posts; --'"
    assert texts(["a", "b'c"]) == "'a', 'b''c'"
    assert texts([]) == "''"
    assert timestamp("2026-11-24T07:00:00+02:00") == "timestamp '2026-11-24 05:00:00.000'"
    assert (boolean(True), integer(7)) == ("true", "7")


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (name, "posts; drop"),
        (name, "Posts"),
        (timestamp, "now()"),
        (timestamp, "2026-11-24T05:00:00"),
        (boolean, "true"),
        (integer, "1"),
        (integer, True),
    ],
)
def test_what_is_no_such_literal_is_refused(literal, value):
    with pytest.raises(ValueError, match=r".+"):
        literal(value)


def test_a_metric_and_a_tag_have_a_scope_of_their_own_which_settles_nothing():
    scopes = {
        RankingRequest.of(params).scope
        for params in (
            {},
            {"metric": "likes_received"},
            {"metric": "engagement"},
            {"metric": "engagement", "weights": {"posts": 3}},
            {"tag": "rain"},
            {"tag": "rain", "metric": "reposts_made", "order": "peak_60s", "include_reposts": False},
        )
    }
    assert scopes == {
        "*",
        "* of likes_received",
        "* of engagement posts=0,reposts_made=0,reposts_received=2,likes_received=1",
        "* of engagement posts=3,reposts_made=0,reposts_received=0,likes_received=0",
        "* tagged rain",
        "* without reposts of reposts_made tagged rain by peak_60s",
    }
    assert not RankingRequest.of({"tag": "rain"}).settles


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({"metric": "views"}, "metric"),
        ({"weights": {"posts": 1}}, "weights"),
        ({"metric": "engagement", "weights": {"views": 1}}, "weights"),
        ({"metric": "engagement", "weights": {"posts": 0}}, "weights"),
        ({"metric": "engagement", "weights": {"posts": 1.5}}, "weights"),
        ({"tag": "a\nb"}, "tag"),
        ({"tag": "t" * 257}, "tag"),
    ],
)
def test_a_metric_that_has_no_meaning_is_rejected_with_its_parameter(params, parameter):
    with pytest.raises(BadRequest) as refusal:
        RankingRequest.of(params)
    assert refusal.value.parameter == parameter


@pytest.mark.parametrize(
    ("params", "is_taken"),
    [
        ({"top": 1}, True),
        ({"top": 100_000}, True),
        ({"top": 100_001}, False),
        ({"top": -1}, False),
        ({"metric": "engagement", "weights": {"posts": 1000}}, True),
        ({"metric": "engagement", "weights": {"posts": 1001}}, False),
        ({"metric": "engagement", "weights": {"posts": 1, "likes_received": -1}}, False),
        ({"metric": "engagement", "weights": {"posts": True}}, False),
        ({"metric": "engagement", "weights": "posts"}, False),
        ({"metric": "posts", "weights": {}}, True),
        ({"tag": "t" * 256}, True),
        ({"tag": 7}, False),
        ({"interval_start": "2026-11-24T05:00:00Z", "interval_end": "2026-11-24T05:01:00Z"}, True),
        ({"interval_start": "2026-11-24T05:00:00.5Z"}, False),
        ({"interval_end": "0001-01-01T00:00:00+01:00"}, False),
    ],
)
def test_a_value_is_taken_up_to_its_limit(params, is_taken):
    if is_taken:
        RankingRequest.of(params)
    else:
        with pytest.raises(BadRequest):
            RankingRequest.of(params)


def test_empty_values_are_as_if_they_were_not_there():
    empty = {
        "interval_start": "",
        "interval_end": None,
        "networks": [],
        "granularities": None,
        "weights": None,
        "tag": "",
    }
    assert RankingRequest.of(empty) == RankingRequest.of({})
    assert RankingRequest.of({}).weights == {"posts": 1, "reposts_made": 0, "reposts_received": 0, "likes_received": 0}
    assert RankingRequest.of({"granularities": ["all", "minute"]}).granularities == ("minute", "all")


def test_a_ranking_of_another_metric_or_tag_counts_its_own_minutes():
    scoped = [RankingRequest.of(params).is_scoped for params in ({}, {"tag": "rain"}, {"metric": "likes_received"})]
    assert scoped == [False, True, True]
