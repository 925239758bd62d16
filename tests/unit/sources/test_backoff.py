"""How often a network may be called, and how much is remembered of it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from localaws.testing.waiting import wait_for
from postrank.sources import Batch, Gap
from postrank.sources.bluesky.handles import Handles
from postrank.sources.net import gap_recovery
from postrank.sources.net.backoff import Limit
from postrank.sources.net.gap_recovery import NotNow, Recovery, Waiting
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


@pytest.mark.parametrize("shared", [False, True])
def test_a_clock_that_was_ahead_makes_nobody_wait_longer_than_the_limit(shared: bool, tmp_path: Path) -> None:
    clock = Clock()
    limit = Limit(2, 900.0, tmp_path / "calls.json" if shared else None, clock=clock)
    clock.now += 86_400.0
    limit.note()
    limit.note()
    clock.now -= 86_400.0
    assert limit.due() == 901.0
    clock.now += 901.0
    assert limit.due() == 0.0, "the calls were made at the latest when the clock was put back"


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


class _TroubledPager:
    """A network that cannot give a page for a second, once."""

    recovered_by = "search"

    def __init__(self) -> None:
        self.questions = 0

    def due(self) -> float:
        return 0.0

    def ask(self, waiting: Waiting) -> tuple[Batch, str | None]:
        self.questions += 1
        if self.questions == 1:
            raise NotNow("trouble", 1.0)
        return Batch(cursor=None), None


def test_a_pause_of_a_gap_does_not_depend_on_the_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    class PutBack(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "PutBack":
            return cls.fromtimestamp(time.time() - 3600.0, tz)

    recovery = Recovery(_TroubledPager())
    now = datetime.now(UTC)
    recovery.enqueue(Gap(since=now - timedelta(days=1), until=now - timedelta(hours=2), reason="r"))
    recovery.work()
    wait_for(lambda: recovery.work() is None and recovery._waiting[0].paused_until, what="the refusal")
    monkeypatch.setattr(gap_recovery, "datetime", PutBack)  # the clock is put back by an hour
    batches: list[Batch] = []
    wait_for(lambda: batches.append(recovery.work() or Batch(cursor=None)) or batches[-1].gaps, what="the page")
