"""Ranking runs that overlap: whatever their order, and whichever of them stops half-way, every post is ranked once."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from postrank.ranking.lease import LeaseLost
from tests.support.lake.ranked_lake import WAITING, Acts, Lake, author_delete, delete, finish, post
from tests.support.lake.ranking_model import rankings, shown, surviving
from tests.support.quick import all_but_slow

pytestmark = pytest.mark.timeout(900)

DAY = "2026-11-23"
HOURS = ("2026-11-24T01", "2026-11-24T02", "2026-11-24T03")
EDITED = post("edited", "ann", f"{DAY}T10:00:10.000Z")
ARRIVALS = {
    HOURS[0]: [
        *(post(f"a{n}", f"author {n % 3}", f"{DAY}T10:00:{n:02}.000Z") for n in range(6)),
        post("gone", "bob", f"{DAY}T10:00:30.000Z"),
        EDITED,
    ],
    HOURS[1]: [
        *(post(f"b{n}", f"author {n % 2}", f"{DAY}T10:00:{n + 20}.000Z") for n in range(4)),
        delete("gone"),
        {**EDITED, "kind": "edit", "posted_at": "2026-11-22T09:00:00.000Z", "received_at": "2026-11-24T06:00:00.000Z"},
    ],
    HOURS[2]: [
        *(post(f"c{n}", "cid", f"{DAY}T10:01:{n + 20}.000Z") for n in range(3)),
        author_delete("author 2", f"{DAY}T10:00:04.000Z"),
    ],
}
TRUTH = rankings(surviving(event for events in ARRIVALS.values() for event in events))
INTERVAL = {"interval_start": f"{DAY}T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}
STEPS = 11  # of a run; see Lake.acts


@pytest.fixture
def delivered(lake) -> Lake:
    for hour, events in ARRIVALS.items():
        lake.deliver(hour, events)
    return lake


def _runs(lake: Lake) -> dict[str, Acts]:
    """A scheduled run, a backfill and one by hand, all of which have posts of the same day to ingest."""
    return {
        "scheduled": lake.acts(lake.ranking("scheduled", [HOURS[0]])),
        "backfill": lake.acts(lake.ranking("backfill", [HOURS[1]])),
        "manual": lake.acts(lake.ranking("manual", **INTERVAL)),
    }


def _advance(acts: Acts, steps: int) -> bool:
    """Do some steps of a run; whether it has ended, by itself or because it lost its lease."""
    try:
        for _ in range(steps):
            next(acts)
    except (StopIteration, LeaseLost):
        return True
    return False


def _settle(lake: Lake) -> None:
    """The next run by schedule or hand, which ingests what is left and ranks what is owed."""
    lake.rank(run_id="next")
    assert shown(lake) == TRUTH
    assert lake.catalogue.partitions("touched_minutes") == []


@pytest.mark.parametrize("seed", all_but_slow(range(6), quick=(0, 1)))
def test_runs_whose_steps_take_turns_in_any_order_rank_every_post_once(delivered, seed):
    order = random.Random(seed)
    runs = _runs(delivered)
    names = sorted(order.sample(sorted(runs), 2 + seed % 2))
    at_work = {name: runs[name] for name in names}
    while at_work:
        name = order.choice(sorted(at_work))
        if _advance(at_work[name], 1):
            del at_work[name]
    _settle(delivered)


def test_a_run_waits_while_another_is_between_any_two_steps(delivered):
    runs = _runs(delivered)
    for _ in range(STEPS):
        assert next(runs["scheduled"]) != WAITING
        assert next(runs["backfill"]) == WAITING
    finish(runs["scheduled"])
    finish(runs["backfill"])
    _settle(delivered)


@pytest.mark.parametrize("step", all_but_slow(range(1, STEPS + 1), quick=(3, 6, 9)))
def test_a_run_that_is_taken_for_ended_at_any_step_harms_nothing_when_it_goes_on(delivered, step):
    order = random.Random(step)
    runs = _runs(delivered)
    stopped = runs["scheduled"]
    _advance(stopped, step)
    delivered.over.add("scheduled")
    successor = runs[order.choice(("backfill", "manual"))]
    ended = _advance(successor, order.randrange(1, STEPS + 2))
    _advance(stopped, STEPS + 1)
    delivered.over.clear()
    if not ended:
        _advance(successor, STEPS + 1)
    _settle(delivered)


class Paused:
    """AWS clients whose user is paused before the call of a number, while `meanwhile` is done."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self._client = client
        self._clients: dict[str, Any] = {}
        self.left: int | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def client(self, service: str) -> Any:
        if service not in self._clients:
            client: Any = self._client(service, region_name="us-east-1")
            client.meta.events.register("before-call", self._calls)
            self._clients[service] = client
        return self._clients[service]

    def _calls(self, **_: Any) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                self.meanwhile()


@pytest.mark.parametrize(
    ("step", "call"),
    # before the versions, the minutes and the ranking
    all_but_slow(itertools.product((5, 7, 9), (2, 4, 6)), quick=((5, 2), (7, 4), (9, 6))),
)
def test_a_run_that_is_paused_within_an_act_and_succeeded_takes_back_what_it_did(delivered, step, call):
    paused = Paused(delivered.client)
    frozen = Lake(paused.client, delivered.names)
    acts = frozen.acts(frozen.ranking("scheduled", [HOURS[0]]))
    _advance(acts, step)

    def succeed() -> None:
        delivered.over.add("scheduled")
        delivered.rank([HOURS[1]], run_id="successor")

    paused.meanwhile = succeed
    paused.left = call
    _advance(acts, STEPS + 1)
    assert "scheduled" in delivered.over
    _settle(delivered)
