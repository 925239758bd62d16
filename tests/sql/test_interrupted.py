"""Runs that are disturbed: tasks done more than once, and two runs whose tasks take turns."""

from tests.support.lake import delete, finish, post

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
