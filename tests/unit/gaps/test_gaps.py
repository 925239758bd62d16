"""What is left of gaps, into which slices it is cut, and which requests of a backfill are refused."""

from datetime import UTC, datetime, timedelta

import pytest

from postrank.collectors.registry import Entry
from postrank.gaps import open_gaps as gaps
from postrank.gaps import request as recovery
from postrank.gaps.open_gaps import Span
from postrank.gaps.request import RecoveryRequest
from postrank.posts.times import to_text
from postrank.ranking.request import BadRequest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASKED = {"source": "ledger", "span_start": None, "span_end": None, "archives": [], "slice_minutes": 60}
SPAN = {"span_start": "2026-11-24T05:00:00Z", "span_end": "2026-11-24T07:30:00Z"}


def at(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def row(since: float, until: float, by: str | None = None, source: str = "x", noted: int = 0) -> dict:
    """A row of the ledger about a span, in hours before NOW."""
    told = {"source": source, "gap_from": to_text(at(since)), "gap_to": to_text(at(until)), "reason": "down"}
    return {**told, "recovered_by": by, "noted_at": f"2026-11-24T12:00:{noted:02}Z"}


def test_a_gap_is_closed_by_a_row_of_its_own_or_by_rows_that_cover_it():
    assert gaps.unmarked([row(5, 3), row(5, 3, "recent-search", noted=1)]) == []
    (covered,) = gaps.unmarked([row(5, 3), row(4, 3, "timeline"), row(6, 4, "archive")])
    assert (covered.left, covered.recovered_by) == ((), ("archive", "timeline"))
    (other,) = gaps.unmarked([row(5, 3), row(5, 3, "timeline", source="mastodon")])
    assert other.left == (Span(at(5), at(3)),)


def test_what_is_left_of_a_gap_lies_between_what_was_read():
    (gap,) = gaps.unmarked([row(6, 1), row(7, 5, "a"), row(4, 3, "a"), row(3.5, 3, "a")])
    assert gap.left == (Span(at(5), at(4)), Span(at(3), at(1)))


@pytest.mark.parametrize(
    ("read", "left"),
    [
        ([(6, 2), (5, 4)], [(2, 1)]),  # one within another
        ([(6, 2), (6, 5)], [(2, 1)]),  # from the same moment
        ([(8, 0), (5, 4)], []),  # both within one that covers the gap
        ([(4, 2), (3.5, 3), (1.5, 1)], [(6, 4), (2, 1.5)]),
        ([(8, 7), (1, 0)], [(6, 1)]),  # next to the gap, not in it
    ],
)
def test_spans_that_were_read_within_others_leave_what_lies_outside_all(read, left):
    (gap,) = gaps.unmarked([row(6, 1), *(row(since, until, "archive") for since, until in read)])
    assert gap.left == tuple(Span(at(since), at(until)) for since, until in left)
    assert gap.recovered_by == (() if read == [(8, 7), (1, 0)] else ("archive",))


def test_a_gap_within_another_is_a_gap_of_its_own_and_closed_with_it():
    within = [row(6, 1), row(5, 4)]
    outer, inner = gaps.unmarked(within)
    assert (outer.left, inner.left) == ((Span(at(6), at(1)),), (Span(at(5), at(4)),))
    (outer,) = gaps.unmarked([*within, row(5, 4, "archive", noted=1)])
    assert outer.left == (Span(at(6), at(5)), Span(at(4), at(1)))
    (inner,) = gaps.unmarked([*within, row(6, 1, "archive", noted=1)])
    assert inner.left == ()


def test_slices_cover_a_span_and_overlap_nowhere():
    assert list(gaps.slices(Span(at(5), at(2.5)), HOUR)) == [
        Span(at(5), at(4)),
        Span(at(4), at(3)),
        Span(at(3), at(2.5)),
    ]


def request(**params) -> RecoveryRequest:
    return RecoveryRequest.of(ASKED | {"budget_usd": 5.0} | params, NOW)


def test_only_what_can_be_read_again_is_read_and_the_rest_is_named():
    open_gaps = gaps.unmarked(
        [row(200, 167), row(2, 0), row(3, 2, source="mastodon"), row(9, 8, source="bluesky"), row(1, 1)]
    )
    planned = recovery.plan(request(), open_gaps, NOW)
    spans = [(one["Source"][0], one["From"][0], one["To"][0]) for one in planned]
    assert spans[0] == ("x-search", "2026-11-17T12:01:00.000Z", "2026-11-17T13:00:00.000Z")
    assert ("mastodon", "2026-11-24T09:00:00.000Z", "2026-11-24T10:00:00.000Z") in spans
    assert spans[-1] == ("x-search", "2026-11-24T11:00:00.000Z", "2026-11-24T11:59:00.000Z")
    assert {one["Budget"][0] for one in planned} == {"1.66"}
    named = recovery.out_of_reach(open_gaps, NOW)
    assert [words.split(" ")[0] for words in named] == ["x", "bluesky"]
    assert "gap_source" in named[1]
    by_hand = recovery.plan(request(source="bluesky", **SPAN), [], NOW)
    assert {slice_["Source"][0] for slice_ in by_hand} == {"bluesky"}


def test_a_span_is_cut_and_archives_are_a_slice_a_file():
    assert len(recovery.plan(request(source="x-search", **SPAN), [], NOW)) == 3
    files = recovery.plan(request(source="archive", archives=["a", "b"], **SPAN), [], NOW)
    assert [one["File"] for one in files] == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"source": "x-search"}, "span_start: is needed"),
        ({"source": "ledger", **SPAN}, "source: the ledger names its own spans"),
        ({"source": "x-search", "span_start": SPAN["span_end"], "span_end": SPAN["span_start"]}, "span_end: .* after"),
        ({"source": "mastodon", **SPAN, "span_end": "2026-11-24T12:00:00Z"}, "span_end: .* a minute ago"),
        ({"source": "x-search", **SPAN, "span_start": "2026-11-01T05:00:00Z"}, "span_start: .* seven days"),
        ({"source": "archive", **SPAN}, "archives: files are for"),
        ({"source": "archive", **SPAN, "archives": ["../state/x"]}, "archives: '../state/x' is no name"),
        ({"source": "mastodon", **SPAN, "archives": ["a"]}, "archives: files are for"),
        ({"source": "x-search", **SPAN, "span_start": "2026-11-31T05:00:00Z"}, "span_start: .* is no time"),
        ({"source": "rss", **SPAN}, "source: 'rss' is none of"),
    ],
)
def test_a_request_without_a_meaning_is_refused_with_the_parameter_and_the_reason(params, why):
    with pytest.raises(BadRequest, match=why):
        request(**params)


@pytest.mark.parametrize(
    ("params", "why"), [({"budget_usd": 0.1}, "budget_usd: 0.10 for 3"), ({"slice_minutes": 0.2}, "slice_minutes: ")]
)
def test_a_plan_that_costs_too_much_is_refused(params, why):
    with pytest.raises(BadRequest, match=why):
        recovery.plan(request(source="x-search", **SPAN, **params), [], NOW)


def test_what_one_collector_read_again_closes_no_gap_of_another():
    rows = [
        {**row(5, 3), "collector": "x-cats"},
        {**row(5, 3, "recent-search"), "collector": "x-dogs-backfill"},
        {**row(5, 3, "recent-search", noted=1), "collector": "backfill_posts"},
    ]
    (gap,) = gaps.unmarked(rows, ["main", "x-cats", "x-dogs"])
    assert (gap.collector, gap.left) == ("x-cats", (gap.span,))
    planned = recovery.plan(request(), [gap], NOW, COLLECTORS)
    assert {recovery.reader_of(slice_) for slice_ in planned} == {"x-cats"}
    assert recovery.plan(request(collector="main"), [gap], NOW, COLLECTORS) == []


COLLECTORS = [Entry("main", "bluesky"), Entry("x-cats", "x"), Entry("x-dogs", "x")]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"source": "x-search"}, "collector: x-cats, x-dogs all read x: name one of them"),
        ({"source": "x-search", "collector": "main"}, "collector: main reads no x"),
        ({"source": "x-search", "collector": "x-cat"}, r"there is no 'x-cat' \(did you mean 'x-cats'\?\)"),
        ({"source": "mastodon"}, "source: no collector reads mastodon"),
    ],
)
def test_a_span_is_read_by_a_collector_that_can(params, why):
    with pytest.raises(BadRequest, match=why):
        recovery.plan(request(**SPAN, **params), [], NOW, COLLECTORS)
    planned = recovery.plan(request(source="x-search", collector="x-dogs", **SPAN), [], NOW, COLLECTORS)
    assert {recovery.reader_of(slice_) for slice_ in planned} == {"x-dogs"}


def times(since: timedelta, until: timedelta) -> dict[str, str]:
    """The params of a span, given by how long before NOW it begins and ends."""
    return {"span_start": f"{NOW - since:%Y-%m-%dT%H:%M:%SZ}", "span_end": f"{NOW - until:%Y-%m-%dT%H:%M:%SZ}"}


SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("source", "since", "until", "taken"),
    [
        ("x-search", WEEK, HOUR, True),
        ("x-search", WEEK + SECOND, HOUR, False),
        ("mastodon", WEEK + SECOND, HOUR, True),
        ("mastodon", HOUR, MINUTE, True),
        ("mastodon", HOUR, MINUTE - SECOND, False),
        ("mastodon", HOUR, HOUR, False),
        ("mastodon", HOUR + SECOND, HOUR, True),
    ],
)
def test_a_span_lies_within_the_reach_of_its_source_to_the_second(source, since, until, taken):
    if taken:
        assert request(source=source, **times(since, until)).span == Span(NOW - since, NOW - until)
    else:
        with pytest.raises(BadRequest):
            request(source=source, **times(since, until))


def test_a_run_takes_five_hundred_slices():
    assert recovery.MOST_SLICES == 500
    most = times(501 * MINUTE, MINUTE)
    assert len(recovery.plan(request(source="mastodon", slice_minutes=1, **most), [], NOW)) == 500
    more = request(source="mastodon", slice_minutes=1, **times(501 * MINUTE + SECOND, MINUTE))
    with pytest.raises(BadRequest, match="slice_minutes: would make 501 slices, of which a run takes 500"):
        recovery.plan(more, [], NOW)


def test_the_budget_is_shared_by_the_slices_that_are_paid_down_to_five_cents():
    planned = recovery.plan(request(source="x-search", budget_usd=0.15, **SPAN), [], NOW)
    assert [slice_["Budget"] for slice_ in planned] == [["0.05"]] * 3
    with pytest.raises(BadRequest, match=r"budget_usd: 0\.14 for 3 slices leaves 0\.04 for each"):
        recovery.plan(request(source="x-search", budget_usd=0.14, **SPAN), [], NOW)
    free = recovery.plan(request(source="mastodon", budget_usd=0.0, **SPAN), [], NOW)
    assert [slice_["Budget"] for slice_ in free] == [["0.00"]] * 3


def test_what_is_left_of_a_gap_is_named_from_the_second_that_nothing_reaches():
    week = WEEK / HOUR
    within = gaps.unmarked([row(week, 3)])
    assert recovery.out_of_reach(within, NOW) == []
    (words,) = recovery.out_of_reach(gaps.unmarked([row(week + 1 / 3600, 3)]), NOW)
    assert words == "x 2026-11-17T11:59:59.000Z to 2026-11-24T09:00:00.000Z: X's recent search reaches back seven days"
    read = [
        row(week + 1, week - 1),
        row(week + 1, week - 0.5, "archive"),
        row(5, 3, source="rss"),
        row(6, 2, "a", "rss"),
    ]
    assert recovery.out_of_reach(gaps.unmarked(read), NOW) == [], "what was read again is not missing"
    rows = [{**row(5, 3, source="rss"), "collector": "x-cats"}, row(5, 3, source="rss")]
    named = recovery.out_of_reach(gaps.unmarked(rows, ["main", "x-cats"]), NOW)
    span = "2026-11-24T07:00:00.000Z to 2026-11-24T09:00:00.000Z: rss keeps no past to search; an archive may hold it"
    assert set(named) == {f"rss {span}", f"rss of x-cats {span}"}


def test_a_compliance_job_is_a_slice_without_a_span():
    slice_ = recovery.compliance_slice(recovery.COMPLIANCE, "compliance/x-ids.txt", NOW, "x-cats")
    at_noon = ["2026-11-24T12:00:00.000Z"]
    assert slice_ == {
        "Collector": ["x-cats"],
        "Source": ["x-compliance"],
        "From": at_noon,
        "To": at_noon,
        "File": ["compliance/x-ids.txt"],
    }
    assert recovery.reader_of(recovery.compliance_slice(recovery.COMPLIANCE, "a", NOW, "main")) == "main"
