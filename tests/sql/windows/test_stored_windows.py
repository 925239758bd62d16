"""The stream's windows in the lake: what the view makes of their emissions, and the board of the newest."""

import pytest

from postrank.aws.resources import Resources
from tests.support.lake.ranked_lake import Lake, put, render

MINUTE = {"window_start": "2026-11-23T10:00:00.000Z", "window_end": "2026-11-23T10:01:00.000Z", "kind": "tumbling"}
OLDER = {"window_start": "2026-11-23T09:59:00.000Z", "window_end": "2026-11-23T10:00:00.000Z", "kind": "sliding"}
NEWER = {"window_start": "2026-11-23T09:59:30.000Z", "window_end": "2026-11-23T10:00:30.000Z", "kind": "sliding"}
GONE = {"window_start": "2026-11-23T09:58:30.000Z", "window_end": "2026-11-23T09:59:30.000Z", "kind": "sliding"}


def window(author, posts, times, second=1, **other):
    return {
        "network": "x",
        "author_id": author,
        "author_handle": author,
        "posts": posts,
        "final": False,
        "collector": "main",
        "emitted_at": f"2026-11-23T10:01:{second:02d}.000Z",
        **times,
        **other,
    }


WINDOWS = [
    window("ann", 2, MINUTE, 1),
    window("ann", 3, MINUTE, 2, final=True, author_handle="ann2"),
    window("ann", 1, MINUTE, 3, collector="second", author_handle="ann3"),
    window("ann", 1, MINUTE, 4, collector="second", author_handle="ann3"),
    window("ann", 9, OLDER),
    window("ann", 4, NEWER),
    window("bob", 5, OLDER),
    window("cat", 7, GONE),
    window("dan", 1, OLDER, network="bluesky"),
]


@pytest.fixture(scope="module")
def stored(aws):
    """A lake whose raw zone has the windows."""
    lake = Lake(aws.client, Resources.of("windows", "123456789012")).create()
    put(lake, "raw_author_windows", "2026-11-23T10", WINDOWS)
    lake.athena.run(render("ddl/stored_windows.sql"))
    return lake


def test_the_emission_that_counts_most_is_the_window(stored):
    query = """
        select dt, author_handle, posts, is_final, collectors, cast(window_start as varchar),
            cast(emitted_at as varchar)
        from stored_windows where kind = 'tumbling'
    """
    expected = ("2026-11-23", "ann3", "3", "true", "2", "2026-11-23 10:00:00.000", "2026-11-23 10:01:04.000")
    assert [tuple(row.values()) for row in stored.athena.rows(query)] == [expected]


def test_the_board_has_the_newest_window_of_each_author_of_the_newest_60_s(stored):
    rows = stored.athena.rows(render("queries/newest_windows.sql"))
    board = [tuple(row.values())[:5] for row in rows]
    assert board == [
        ("bluesky", "1", "dan", "dan", "1"),
        ("x", "1", "bob", "bob", "5"),
        ("x", "2", "ann", "ann", "4"),
    ]
