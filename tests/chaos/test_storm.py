"""A replay through kills and outages: what arrives, after de-duplication, is exactly what was in the file."""

import os
from pathlib import Path

from tests.support import chaos

LINES = int(os.environ.get("POSTRANK_CHAOS_LINES", "40000"))
KILLS = int(os.environ.get("POSTRANK_CHAOS_KILLS", "8"))
SEED = int(os.environ.get("POSTRANK_CHAOS_SEED", "7"))


def test_nothing_is_lost_and_nothing_is_added_through_kills_and_outages(tmp_path: Path) -> None:
    outcome = chaos.run(tmp_path, lines=LINES, kills=KILLS, seed=SEED)
    expected, arrived = outcome.expected, outcome.arrived
    print(
        f"{expected.lines} lines sent, {arrived.lines} arrived, {outcome.kills} kills, outages {dict(outcome.outages)}"
    )
    assert arrived.posts == expected.posts
    assert arrived.deletes == expected.deletes
    wrong = {key: (posts, arrived.windows.get(key)) for key, posts in expected.windows.items()}
    wrong = {key: pair for key, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong, f"{len(wrong)} windows differ: {list(wrong.items())[:5]}"
    assert arrived.windows.keys() == expected.windows.keys()
