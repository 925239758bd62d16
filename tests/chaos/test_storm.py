"""Through kills, outages and lost sources: what arrives, after de-duplication, is exactly what there was to read."""

import os
from pathlib import Path

import pytest

from tests.support import chaos, chaos_sources

LINES = int(os.environ.get("POSTRANK_CHAOS_LINES", "20000"))
KILLS = int(os.environ.get("POSTRANK_CHAOS_KILLS", "4"))
SEED = int(os.environ.get("POSTRANK_CHAOS_SEED", "7"))


@pytest.mark.parametrize("feeds", [chaos_sources.replay, chaos_sources.jetstream, chaos_sources.x_stream])
def test_nothing_is_lost_and_nothing_is_added(tmp_path: Path, feeds: chaos.Feeds) -> None:
    outcome = chaos.run(tmp_path, feeds, lines=LINES, kills=KILLS, seed=SEED)
    expected, arrived = outcome.expected, outcome.arrived
    print(
        f"{expected.lines} lines sent, {arrived.lines} arrived, {outcome.kills} kills, outages {dict(outcome.outages)},"
        f" source lost {dict(outcome.disconnects)}, {outcome.connections} connections"
    )
    assert arrived.posts == expected.posts
    assert arrived.deletes == expected.deletes
    wrong = {key: (posts, arrived.windows.get(key)) for key, posts in expected.windows.items()}
    wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"{len(wrong)} windows differ: {list(wrong.items())[:5]}"
    assert arrived.windows.keys() == expected.windows.keys()
