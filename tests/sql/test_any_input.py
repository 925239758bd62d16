"""Late, duplicate, edited, deleted and reordered input gives the truth after each arrival."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.testing.patience import patient
from tests.support.lake.ranked_lake import author_delete, delete, post
from tests.support.lake.ranking_model import rankings, shown, surviving
from tests.support.lake.upkeep import compact, redact, redaction, settle

HOURS = ("2026-11-24T01", "2026-11-24T02", "2026-11-24T03")
# Moments where windows meet: midnight, the hour, the minute, and the sliding minute across each.
MOMENTS = tuple(
    f"2026-11-2{day}T{clock}Z"
    for day, clock in (
        (1, "23:59:00.000"),
        (1, "23:59:00.001"),
        (1, "23:59:59.999"),
        (2, "00:00:00.000"),
        (2, "00:00:30.000"),
        (2, "00:00:59.999"),
        (2, "00:01:00.000"),
        (2, "04:59:30.000"),
        (2, "05:00:00.000"),
        (2, "05:00:29.999"),
        (3, "00:00:10.000"),
    )
)
NETWORKS = ("bluesky", "x")


@st.composite
def _streams(draw: st.DrawFn) -> list[list[dict]]:
    """What three arrival hours bring: posts, some edited, deleted or delivered again, and authors who leave."""
    events = []
    for number in range(draw(st.integers(1, 12))):
        name, author = f"p{number}", draw(st.sampled_from(("A", "a", "b", "é")))
        network = draw(st.sampled_from(NETWORKS))
        received = iter(f"2026-11-24T05:00:{second:02}.000Z" for second in range(60))
        written = post(name, author, draw(st.sampled_from(MOMENTS)), network=network, received_at=next(received))
        events += [written] * draw(st.integers(1, 2))
        for _ in range(draw(st.integers(0, 2))):
            moved = draw(st.sampled_from((written["posted_at"], *MOMENTS)))
            kind = draw(st.sampled_from(("edit", "post")))
            events.append({**written, "kind": kind, "posted_at": moved, "received_at": next(received)})
        if draw(st.integers(0, 3)) == 0:
            events.append(delete(name, network=network, received_at=next(received)))
    for author in draw(st.lists(st.sampled_from(("A", "a", "b")), max_size=2, unique=True)):
        events.append(author_delete(author, draw(st.sampled_from(MOMENTS)), network=draw(st.sampled_from(NETWORKS))))
    shuffled = draw(st.permutations(events))
    hours = [draw(st.integers(0, len(HOURS) - 1)) for _ in shuffled]
    return [[event for event, hour in zip(shuffled, hours, strict=True) if hour == n] for n in range(len(HOURS))]


def _redact(lake, number: int) -> None:
    if redaction(lake, f"care {number}").plan().count:
        redact(lake, f"care {number}")


CARE = {
    "nothing": lambda lake, number: None,
    "redaction": _redact,
    "compaction": lambda lake, number: compact(lake, f"care {number}", many=0),
    "settling": lambda lake, number: settle(lake, f"care {number}"),
}


@pytest.mark.timeout(patient(900))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=_streams(), care=st.lists(st.sampled_from(sorted(CARE)), min_size=len(HOURS), max_size=len(HOURS)))
def test_the_ranking_is_true_after_every_arrival_whatever_care_was_taken_between(new_lake, arrivals, care):
    lake, seen = new_lake(), []
    for number, (hour, events, taken) in enumerate(zip(HOURS, arrivals, care, strict=True)):
        if not events:
            continue
        lake.deliver(hour, events)
        seen += events
        lake.rank([hour])
        assert shown(lake) == rankings(surviving(seen))
        CARE[taken](lake, number)
    _redact(lake, len(HOURS))
    assert shown(lake) == rankings(surviving(seen))
    deleted = {(event["network"], event["post_id"]) for event in seen if event["kind"] == "delete"}
    kept = lake.rows("select network, post_id from post_versions where kind in ('post', 'edit')")
    assert not deleted & {(row["network"], row["post_id"]) for row in kept}
