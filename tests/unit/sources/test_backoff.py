"""How often a network may be called, and how much is remembered of it."""

from dataclasses import dataclass
from pathlib import Path

from postrank.sources.bluesky.handles import Handles
from postrank.sources.net.backoff import Limit
from postrank.sources.x import XStream
from tests.support.streaming.source_reader import built


@dataclass
class Clock:
    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def x_source(state: Path) -> XStream:
    money = {"daily_budget": 9.0, "monthly_budget": 9.0}
    found = built("x", state, bearer_token="t", rules=[{"value": "cats"}], **money)
    assert isinstance(found, XStream)
    return found


def test_a_limit_is_free_until_it_is_used_up_and_then_makes_one_wait_for_the_oldest_call() -> None:
    clock = Clock()
    limit = Limit(3, 900.0, clock=clock)
    for _ in range(3):
        assert limit.due() == 0.0
        limit.note()
        clock.now += 100.0
    assert limit.due() == 601.0, "900 s after the end of the first call's second"
    clock.now += 601.0
    assert limit.due() == 0.0
    limit.note()
    assert limit.due() == 100.0


def test_a_limit_that_is_kept_holds_over_restarts_and_for_all_who_share_it(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "x" / "calls.json"
    one, two = (Limit(3, 900.0, path, clock=clock) for _ in range(2))
    one.note()
    two.note()
    assert one.due() == two.due() == 0.0
    one.note()
    assert two.due() == Limit(3, 900.0, path, clock=clock).due() == 901.0
    clock.now -= 5000.0  # a clock that was put right
    assert two.due() == 901.0


def test_x_is_connected_to_at_most_fifty_times_in_a_quarter_of_an_hour_by_default(tmp_path: Path) -> None:
    for _ in range(50):
        ways = x_source(tmp_path).ways
        assert ways.connections.due() == 0.0
        ways.connections.note()
    assert x_source(tmp_path).ways.connections.due() > 800.0


def test_handles_are_remembered_up_to_a_bound_and_those_in_use_stay() -> None:
    handles = Handles(directory="", capacity=2)
    handles.learn("did:plc:a", "a.example")
    handles.learn("did:plc:b", "b.example")
    assert handles.of("did:plc:a") == "a.example"
    handles.learn("did:plc:c", "c.example")
    assert len(handles) == 2
    assert handles.of("did:plc:b") is None
    assert handles.of("did:plc:a") == "a.example"
    handles.learn("did:plc:a", None)
    assert handles.of("did:plc:a") is None
