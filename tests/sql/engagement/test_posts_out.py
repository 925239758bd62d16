"""`postrank posts`: posts of the lake as CSV, Parquet and ids."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from localaws.testing.server import LocalAws
from postrank.aws.resources import Resources
from postrank.cli.history.posts import posts as command
from postrank.lake.posts_reader import PostsRequest, read_posts
from tests.support.lake.ranked_lake import Lake, delete, post

Command = Callable[..., Result]
HOUR = "2026-11-24T01"
SPAN = ("--from", "2026-11-23", "--to", "2026-11-25")
EVENTS = [
    post("b1", "did:plc:ann", "2026-11-23T10:00:00.000Z", network="bluesky", text="=1+1", hashtags=["Rain", "Wind"]),
    post("b2", "did:plc:bob", "2026-11-23T23:59:59.999Z", network="bluesky", author_handle="Bob.example", text="two"),
    post("m1", "7", "2026-11-24T00:00:00.000Z", network="mastodon:a.example", sensitive=True),
    post("x1", "8", "2026-11-24T00:30:00.000Z", network="x", text="stays with whom it was given to"),
    post("gone", "did:plc:ann", "2026-11-23T11:00:00.000Z", network="bluesky"),
    delete("gone", network="bluesky"),
]


@pytest.fixture(scope="module")
def ranked_lake(aws: LocalAws) -> Lake:
    lake = Lake(aws.client, Resources.of("posts-out", "123456789012")).create()
    lake.deliver(HOUR, EVENTS)
    lake.rank([HOUR])
    return lake


@pytest.fixture
def posts(ranked_lake: Lake, aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command on a ranked lake."""
    for name, value in aws.root_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POSTRANK_ENVIRONMENT", ranked_lake.names.environment)
    monkeypatch.setenv("POSTRANK_ACCOUNT", ranked_lake.names.account)

    def run(*words: str) -> Result:
        result = CliRunner().invoke(command, [*SPAN, *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result

    return run


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_posts_come_in_order_and_deleted_ones_are_absent(posts: Command) -> None:
    listed = rows(posts())
    assert [row["post_id"] for row in listed] == ["b1", "b2", "m1", "x1"]
    assert (listed[0]["text"], listed[0]["hashtags"]) == ("'=1+1", "Rain Wind")
    assert (listed[1]["posted_at"], listed[2]["sensitive"]) == ("2026-11-23T23:59:59.999Z", "true")


def test_a_post_of_x_is_passed_on_as_an_id_unless_it_stays_here(posts: Command) -> None:
    result = posts("--network", "x")
    (row,) = rows(result)
    assert {name for name, cell in row.items() if cell} == {"network", "post_id", "author_id"}
    assert "1 of x with ids only" in result.stderr
    (row,) = rows(posts("--network", "x", "--with-content", "x"))
    assert row["text"] == "stays with whom it was given to"
    assert posts("--network", "x", "--format", "ids").stdout == "x1\n"


def test_authors_and_networks_are_chosen(posts: Command) -> None:
    def ids(*words: str) -> list[str]:
        return posts("--format", "ids", *words).stdout.split()

    assert ids("--author", "did:plc:ann") == ["b1"]
    assert ids("--author", "@bob.EXAMPLE") == ["b2"]
    assert ids("--network", "mastodon") == ids("--network", "mastodon:a.example") == ["m1"]
    assert ids("--author", "' or 1=1 --") == []


def test_parquet_keeps_lists_and_times(posts: Command, tmp_path: Path) -> None:
    posts("--format", "parquet", "--out", str(tmp_path / "posts.parquet"))
    table = pyarrow.parquet.read_table(tmp_path / "posts.parquet")
    assert table["hashtags"].to_pylist() == [["Rain", "Wind"], None, None, None]
    assert table["posted_at"].to_pylist()[0] == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert table["text"].to_pylist() == ["=1+1", "two", "text of m1", None]
    assert [path.name for path in tmp_path.iterdir()] == ["posts.parquet"]


def test_no_more_than_a_page_of_posts_is_held(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.deliver(HOUR, [post(f"{number:05}", "1", "2026-11-23T10:00:00.000Z") for number in range(2500)])
    lake.rank([HOUR])
    athena = lake.athena
    pages: list[int] = []
    page_of = athena.client.get_paginator("get_query_results").paginate

    class Counted:
        """Notes each page of results when it is read."""

        def paginate(self, **arguments: Any) -> Any:
            for page in page_of(**arguments):
                pages.append(len(page["ResultSet"]["Rows"]))
                yield page

    monkeypatch.setattr(athena.client, "get_paginator", lambda _: Counted())
    request = PostsRequest(since=datetime(2026, 11, 23, tzinfo=UTC), until=datetime(2026, 11, 24, tzinfo=UTC))
    reading = read_posts(athena, request)
    next(reading)
    assert len(pages) == 1
    assert sum(1 for _ in reading) == 2499
    assert sum(pages) == 2501
