"""Reposts and quotes as trees: size, depth, width and speed, held to what was delivered."""

from tests.support.lake.ranked_lake import delete, post, render, repost

HOUR = "2026-11-24T01"
SCOPE = {
    "first_day": "2026-11-22",
    "last_day": "2026-11-23",
    "all_from": "2026-11-22T00:00:00Z",
    "all_to": "2026-11-24T00:00:00Z",
    "all_networks": True,
    "networks_ranked": [],
}


def _at(minute: int) -> str:
    return f"2026-11-23T10:{minute:02}:00.000Z"


def _delivered() -> list[dict]:
    """A tree of six below p, which has two reposts and two quotes of its own; and a repost of a stranger's post."""
    return [
        post("p", "ann", _at(0)),
        post("r1", "bob", _at(1), repost_of="p"),
        repost("r2", "cem", _at(2), "p", "ann"),
        post("q1", "dan", _at(3), quote_of="p"),
        post("q2", "eve", _at(40), quote_of="p"),
        post("r3", "fay", _at(50), repost_of="q1"),
        post("q3", "gus", _at(59), quote_of="r3"),
        post("s1", "bob", _at(5), repost_of="unseen"),
        post("loop", "ann", _at(5), quote_of="loop"),
        post("p", "ann", _at(0), network="bluesky"),
    ]


def test_a_cascade_has_its_size_depth_width_and_speed(lake):
    lake.deliver(HOUR, _delivered())
    lake.rank([HOUR])
    rows = lake.rows(render("exports/cascades.sql", limit=10, **SCOPE))
    columns = "root_id author_handle posts reposts quotes depth width half_seconds last_seconds".split()
    assert [tuple(row[name] for name in columns) for row in rows] == [
        ("p", "ann", "6", "3", "3", "3", "4", "180", "3540"),
        ("unseen", None, "1", "1", "0", "1", "1", "0", "0"),
    ]
    assert len(lake.rows(render("exports/cascades.sql", limit=1, **SCOPE))) == 1
    lake.deliver("2026-11-24T02", [delete("r3")])
    lake.rank(["2026-11-24T02"])
    rows = lake.rows(render("exports/cascades.sql", limit=10, **SCOPE))
    assert [(row["root_id"], row["posts"], row["depth"]) for row in rows] == [
        ("p", "4", "1"),
        ("r3", "1", "1"),
        ("unseen", "1", "1"),
    ]


def test_the_largest_cascade_of_the_newest_day_is_a_tree_over_time(lake):
    lake.deliver(HOUR, [*_delivered(), post("old", "ann", "2026-11-22T10:00:00.000Z", repost_of="p0")])
    lake.rank([HOUR])
    rows = lake.rows(render("queries/largest_cascade.sql"))
    assert {row["root_id"] for row in rows} == {"p"}
    assert [(row["post_id"], row["parent_id"], row["depth"], row["kind"]) for row in rows] == [
        ("r1", "p", "1", "repost"),
        ("r2", "p", "1", "repost"),
        ("q1", "p", "1", "quote"),
        ("q2", "p", "1", "quote"),
        ("r3", "q1", "2", "repost"),
        ("q3", "r3", "3", "quote"),
    ]
