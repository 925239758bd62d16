"""Through kills, outages and lost sources: what arrives, after de-duplication, is exactly what there was to read."""

import os
from pathlib import Path

import pytest

from postrank.gaps.open_gaps import unmarked
from tests.support.chaos import live_networks, sources, storm

# Lines and kills: a short storm for `make test`, a longer one for `make test-slow`, what is asked for in `make chaos`.
SHORT = (5_000, 1)
LONG = (int(os.environ.get("POSTRANK_CHAOS_LINES", "20000")), int(os.environ.get("POSTRANK_CHAOS_KILLS", "4")))
SEED = int(os.environ.get("POSTRANK_CHAOS_SEED", "7"))


FEEDS = [sources.replay, sources.jetstream, live_networks.x_stream, live_networks.mastodon]


@pytest.mark.parametrize(
    ("lines", "kills"),
    [pytest.param(*SHORT, id="short"), pytest.param(*LONG, id="long", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("feeds", FEEDS)
def test_nothing_is_lost_and_nothing_is_added(tmp_path: Path, feeds: storm.Feeds, lines: int, kills: int) -> None:
    _require_exact(storm.run(tmp_path, feeds, lines=lines, kills=kills, seed=SEED))


TOGETHER = {"x": live_networks.x_stream, "mastodon": live_networks.mastodon, "bluesky": sources.jetstream_with_likes}


@pytest.mark.parametrize(
    ("lines", "kills"),
    [pytest.param(2_000, 1, id="short"), pytest.param(*LONG, id="long", marks=pytest.mark.slow)],
)
def test_three_collectors_of_one_lake_are_each_exact(tmp_path: Path, lines: int, kills: int) -> None:
    scale = storm.Scale(lines, kills, SEED)
    outcomes = storm.run_together(tmp_path, TOGETHER, scale, lost_host="x")
    for outcome in outcomes.values():
        _require_exact(outcome)
    assert outcomes["bluesky"].arrived.likes
    assert not (tmp_path / "x").exists()


def _require_exact(outcome: storm.Outcome) -> None:
    expected, arrived = outcome.expected, outcome.arrived
    told = {"sent": expected.lines, "arrived": arrived.lines, "kills": outcome.kills, "ends": outcome.terminations}
    told |= {"connections": outcome.connections, "spool full": outcome.blocked, "gap rows": len(outcome.gaps)}
    print(told, "outages", dict(outcome.outages), "source lost", dict(outcome.disconnects))
    assert arrived.posts == expected.posts
    assert arrived.deletes == expected.deletes
    assert arrived.likes == expected.likes
    wrong = {key: (posts, arrived.windows.get(key)) for key, posts in expected.windows.items()}
    wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"{len(wrong)} windows differ: {list(wrong.items())[:5]}"
    assert arrived.windows.keys() == expected.windows.keys()
    assert not [gap for gap in unmarked(outcome.gaps) if gap.left], "every gap is closed in its ledger"
    assert not outcome.complaints
