"""Runs that are disturbed: tasks killed at any call, tasks done more than once, and two runs whose tasks take turns."""

from collections.abc import Callable
from typing import Any

from localaws.testing.server import REGION
from tests.support.lake.ranked_lake import Lake, delete, finish, post

HOURS = ("2026-11-24T01", "2026-11-24T02")
DAY = {"interval_start": "2026-11-23T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}


def _deliver(lake) -> None:
    day = "2026-11-23T"
    lake.deliver(HOURS[0], [post(str(n), f"a{n % 3}", f"{day}{10 + n % 2}:00:0{n}.000Z") for n in range(9)])
    lake.deliver(
        HOURS[1], [post("9", "a1", f"{day}10:00:09.000Z"), post("9", "a1", f"{day}10:00:09.000Z"), delete("4")]
    )


def _rows(lake, run: str, granularity: str) -> list[dict]:
    rows = lake.results.rows(granularity, run)
    return [{name: value for name, value in row.items() if name != "revision"} for row in rows]


class Killed(BaseException):
    """What `kill -9` is to a task: nothing that it does afterwards."""


class Mortal:
    """AWS clients whose user is killed when the call of a number has had its effect."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client
        self._calls = self._last = 0
        self.deaths = 0

    def client(self, service: str) -> Any:
        made = self._client(service)
        made.meta.events.register("after-call", self._called)
        return made

    def try_until_it_lives(self, act: Callable[[], Any]) -> Any:
        """Do an act, killed after its first call; again, killed after its second; until it has no more to call."""
        last = 0
        while True:
            last += 1
            self._calls, self._last = 0, last
            try:
                return act()
            except Killed:
                self.deaths += 1
            finally:
                self._last = 0

    def _called(self, **_: Any) -> None:
        self._calls += 1
        if self._calls == self._last:
            raise Killed


def test_tasks_that_are_killed_after_any_call_and_tried_again_give_the_same_export(new_lake):
    unharmed, harmed = new_lake(), new_lake()
    mortal = Mortal(lambda service: harmed.client(service, region_name=REGION))  # clients that nothing else uses
    for lake in (unharmed, harmed):
        _deliver(lake)
    often_killed = Lake(mortal.client, harmed.names)
    finish(unharmed.acts(unharmed.ranking("run", **DAY)))
    finish(often_killed.acts(often_killed.ranking("run", **DAY), trying=mortal.try_until_it_lives))
    assert mortal.deaths > 50
    for granularity in ("minute", "hour", "day", "all"):
        assert harmed.results.rows(granularity) == unharmed.results.rows(granularity)
    told = ("post_lines", "duplicates", "tombstones", "arrival_hours", "interval")
    manifests = [lake.results.manifest(lake.ranking("run").run.slug) for lake in (unharmed, harmed)]
    assert {name: manifests[0].get(name) for name in told} == {name: manifests[1].get(name) for name in told}
    for table in ("touched_minutes", "post_versions", "author_minutes", "author_ranking_revisions"):
        assert len(harmed.catalogue.partitions(table)) == len(unharmed.catalogue.partitions(table))
        assert harmed.rows(f"select count(*) as n from {table}") == unharmed.rows(f"select count(*) as n from {table}")


def test_tasks_that_are_done_and_done_again_give_the_same_export(new_lake):
    once, twice = new_lake(), new_lake()
    exports = []
    for lake, attempts in ((once, 1), (twice, 2)):
        _deliver(lake)
        manifest = finish(lake.acts(lake.ranking("run", **DAY), attempts))
        exports.append({one: lake.results.rows(one, manifest["run"]) for one in ("minute", "hour", "day", "all")})
        assert [manifest[name] for name in ("post_lines", "duplicates", "tombstones")] == [11, 1, 1]
    assert exports[0] == exports[1]
    assert twice.catalogue.partitions("touched_minutes") == []


def test_two_runs_whose_tasks_take_turns_do_not_mix(lake):
    _deliver(lake)
    hours = [("2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"), ("2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z")]
    rankings = [lake.ranking(f"turn{n}", interval_start=a, interval_end=b) for n, (a, b) in enumerate(hours)]
    runs = [lake.acts(ranking) for ranking in rankings]
    at_work = list(runs)
    while at_work:
        at_work = [run for run in at_work if next(run, "ended") != "ended"]
    undisturbed = [lake.rank(interval_start=a, interval_end=b)["run"] for a, b in hours]
    for ranking, run, (start, _) in zip(rankings, undisturbed, hours, strict=True):
        assert lake.results.manifest(ranking.run.slug)["interval"]["start"] == start
        for granularity in ("minute", "hour", "all"):
            found = _rows(lake, ranking.run.slug, granularity)
            assert found == _rows(lake, run, granularity)
            assert {row["window_start"][:13] for row in found} == {start[:13]}
