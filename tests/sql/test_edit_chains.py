"""Versions of an edited post are one post, and a delete of any of them takes out all, in whatever order they arrive."""

import itertools

import pytest

from tests.support.lake.ranked_lake import Lake, delete, post, render
from tests.support.lake.upkeep import compact, redact

HOURS = ("2026-11-24T01", "2026-11-24T02", "2026-11-24T03", "2026-11-24T04", "2026-11-24T05")
AT = "2026-11-23T10:00:07.000Z"
FIRST = post("1", "ann", AT, text="first words")
SECOND = {**FIRST, "kind": "edit", "text": "second words", "versions": ["1", "11"]}
THIRD = {**FIRST, "kind": "edit", "text": "third words", "versions": ["1", "11", "111"]}
OTHER = post("2", "bob", "2026-11-23T10:00:00.000Z", text="other words")
VERSIONS = (FIRST, SECOND, THIRD)


def authors(lake: Lake) -> list[str | None]:
    rows = lake.rows("select author_id from author_ranking where granularity = 'day' order by rank")
    return [row["author_id"] for row in rows]


def words(lake: Lake) -> list[str | None]:
    rows = lake.rows("select distinct text from post_versions where text is not null order by 1")
    return [row["text"] for row in rows]


def arrive(lake: Lake, events: list[dict]) -> None:
    for hour, event in zip(HOURS, events, strict=False):
        lake.deliver(hour, [event])
        lake.rank()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_delete_of_a_later_version_takes_out_the_post_in_any_order(lake: Lake, order: tuple[int, ...]) -> None:
    lake.deliver(HOURS[0], [OTHER], name="other")
    events = [FIRST, SECOND, delete("11")]
    arrive(lake, [events[number] for number in order])
    assert authors(lake) == ["bob"]
    assert lake.rows("select post_id from posts order by 1") == [{"post_id": "2"}]


@pytest.mark.parametrize("version", ["1", "11", "111"])
def test_a_delete_of_any_version_takes_out_all_that_arrived_in_one_hour(lake: Lake, version: str) -> None:
    lake.deliver(HOURS[0], [OTHER, delete(version), THIRD, FIRST, SECOND])
    lake.rank()
    assert authors(lake) == ["bob"]


def test_versions_count_once_and_the_newest_is_the_post(lake: Lake) -> None:
    arrive(lake, [FIRST, SECOND, THIRD])
    assert lake.rows("select post_id, text from posts") == [{"post_id": "1", "text": "third words"}]
    assert authors(lake) == ["ann"]


def test_redaction_and_compaction_keep_a_deleted_chain_out_also_when_a_version_comes_late(lake: Lake) -> None:
    lake.deliver(HOURS[0], [OTHER], name="other")
    arrive(lake, [FIRST, SECOND, delete("11")])
    redact(lake)
    compact(lake)
    assert words(lake) == ["other words"]
    lake.deliver(HOURS[3], [FIRST])
    lake.rank()
    assert authors(lake) == ["bob"]
    redact(lake, "later")
    assert words(lake) == ["other words"]
    assert render("ddl/post_chains.sql").startswith("-- post_chains")
