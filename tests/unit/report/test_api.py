"""The documents of the JSON API: ties, selections, links to networks, trends; its documentation lists every route."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from fastapi.routing import APIRoute
from moto import mock_aws

from postrank.ranking.export_forms import COLUMNS
from postrank.ranking.export_reader import NoSuchRun, Results
from postrank.report.api import authors, comparison, post_links, rankings, run_list, trends
from postrank.report.api.selection import SORTS, Selection
from postrank.report.exports import Exports, NotExported
from postrank.report.ties import rank_text, tied_ranks
from postrank.report.wording import moment, moment_of, size, span
from postrank_airflow.ui.leaderboard import live_routes
from postrank_airflow.ui.leaderboard.api import router
from postrank_airflow.ui.leaderboard.library import Library
from tests.support.lake.exports import export, plain_posts

BUCKET = "postrank-local-results-123456789012"
DOCS = Path(__file__).resolve().parents[3] / "docs"
POSTS = plain_posts(posts=1_500, hours=6, authors=30)
START = min(post.at for post in POSTS).replace(minute=0, second=0)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    """Two runs of hours and one of days."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t")
        s3.create_bucket(Bucket=BUCKET)
        export(s3, BUCKET, POSTS[:1_000], "scheduled__2026-05-01T11:00:00+00:00", granularities=("hour", "all"))
        export(s3, BUCKET, POSTS, "scheduled__2026-05-01T12:00:00+00:00", granularities=("hour", "all"), top=10)
        export(s3, BUCKET, POSTS[:50], "manual__days", granularities=("day",), publish=False)
        yield Library(Exports(Results(s3, BUCKET)))


def _rows(*rows: dict[str, Any]) -> pa.Table:
    usual = dict.fromkeys(COLUMNS) | {"granularity": "hour", "window_start": NOON, "network": "x", "author_id": "1"}
    schema = pa.schema(COLUMNS.items()).set(1, pa.field("window_start", pa.timestamp("ms", tz="UTC")))
    return pa.Table.from_pylist([usual | {"rank": rank} | row for rank, row in enumerate(rows, 1)], schema=schema)


def test_authors_of_equal_order_values_share_the_first_of_their_ranks() -> None:
    rows = _rows({"posts": 9, "peak_60s": 2}, {"posts": 5, "peak_60s": 2}, {"posts": 5, "peak_60s": 1})
    ties = tied_ranks(rows, "posts")
    assert [rank_text(row, ties) for row in rows.to_pylist()] == ["1", "=2", "=2"]
    assert tied_ranks(rows, "peak_60s") == {1: 1, 2: 1, 3: 3}
    assert tied_ranks(rows, "not_exported") == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
def test_a_selection_sorts_by_any_column_with_absent_values_last(sort: str, descending: bool) -> None:
    rows = _rows(
        {"author_handle": "b", "posts": 3, "share": 0.3, "peak_60s": None, "previous_rank": None},
        {"author_handle": "A", "posts": 2, "share": 0.2, "peak_60s": 1, "previous_rank": 5, "network": "bluesky"},
        {"author_handle": None, "posts": 1, "share": 0.1, "peak_60s": 2, "previous_rank": 3},
    ).append_column("busiest_step", pa.array([None, 1, 2]))
    order = {
        "rank": [1, 2, 3],
        "change": [3, 2, 1],
        "author": [3, 2, 1],
        "network": [2, 1, 3],
        "posts": [3, 2, 1],
        "share": [3, 2, 1],
        "peak_60s": [2, 3, 1],
        "busiest_step": [2, 3, 1],
    }[sort]
    if descending:
        absent = [1] if sort in ("change", "peak_60s", "busiest_step") else []
        order = [*reversed([rank for rank in order if rank not in absent]), *absent]
    if sort == "network" and descending:
        order = [1, 3, 2]  # those of one network stay in the order of their ranks
    assert Selection(sort=sort, descending=descending).of(rows)["rank"].to_pylist() == order


def test_a_selection_finds_parts_of_names_handles_and_ids_in_any_case() -> None:
    rows = _rows({"author_name": "Ann"}, {"author_handle": "anna"}, {"author_id": "x-ANN"}, {"author_id": "bob"})
    assert Selection(query=" @ann ").of(rows)["rank"].to_pylist() == [1, 2, 3]
    assert Selection(network="bluesky").of(rows).num_rows == 0


@pytest.mark.parametrize(
    ("network", "author_id", "handle", "address"),
    [
        ("x", "12", "sim", "https://x.com/i/user/12"),
        ("x", "javascript:alert(1)", "sim", None),
        ("bluesky", "did:plc:sim1", None, "https://bsky.app/profile/did:plc:sim1"),
        ("bluesky", "../../evil", "sim", None),
        ("mastodon:social.example", "7", "sim@social.example", "https://social.example/@sim"),
        ("mastodon:social.example", "7", "sim@other.example", "https://social.example/@sim@other.example"),
        ("mastodon:social.example/evil?", "7", "sim", None),
        ("mastodon:social.example", "7", "sim/../evil", None),
        ("access-log", "10.0.0.1", None, None),
    ],
)
def test_a_profile_is_linked_where_the_network_has_one(
    network: str, author_id: str, handle: str | None, address: str | None
) -> None:
    assert post_links.profile(network, author_id, handle) == address


def test_posts_of_a_window_are_linked_by_the_networks_own_search() -> None:
    end = NOON + timedelta(hours=1)
    assert post_links.posts_between("x", "sim", NOON, end) == (
        "https://x.com/search?q=from%3Asim+since_time%3A1777636800+until_time%3A1777640400&f=live"
    )
    assert "from%3Asim.example+since%3A2026-05-01T12" in str(
        post_links.posts_between("bluesky", "sim.example", NOON, end)
    )
    assert post_links.posts_between("mastodon:social.example", "sim", NOON, end) is None
    assert post_links.posts_between("x", "sim OR from:someone", NOON, end) is None


def test_trends_compare_the_newest_window_with_those_before(library: Library) -> None:
    document = trends.trends(library.exports, library.open("latest"), "hour", 3, 5)
    first = START + timedelta(hours=3)
    assert document["start"] == rankings.text(first)
    hours = [sum(post.at.replace(minute=0, second=0) == first + timedelta(hours=n) for post in POSTS) for n in range(3)]
    assert document["totals"] == hours
    row = document["rows"][0]
    posts = Counter((post.at - first) // timedelta(hours=1) for post in POSTS if post.author.id == row["author_id"])
    assert row["series"] == [(n, posts[n]) for n in range(3)]
    assert row["change"] == round(posts[2] - (posts[0] + posts[1]) / 2, 3)
    assert len(document["rows"]) == 5


def test_an_author_has_their_windows_and_a_stranger_has_none(library: Library) -> None:
    export_ = library.open("latest")
    document = authors.author(library.exports, export_, "x", "1000")
    hours = document["granularities"]["hour"]
    assert sum(hours["columns"]["posts"]) == sum(post.author.id == "1000" for post in POSTS)
    assert hours["windows"] == 6
    hourly = [Counter(post.author.id for post in POSTS if post.at.hour == START.hour + n) for n in range(6)]
    for tied, posts, counts in zip(hours["columns"]["tied_rank"], hours["columns"]["posts"], hourly, strict=True):
        assert (tied is not None) == (list(counts.values()).count(posts) > 1)
    with pytest.raises(NotExported, match="no author 5 of x: it holds the first 10 of each window"):
        authors.author(library.exports, export_, "x", "5")


def test_runs_are_compared_in_a_window_of_both(library: Library) -> None:
    first = library.open(_named(library, "T11"))
    second = library.open(_named(library, "T12"))
    document = comparison.comparison(library.exports, first, second, "hour", None, 100)
    assert document["window"][0]["start"] == rankings.text(START + timedelta(hours=5))
    figures = [row["runs"][1] for row in document["rows"] if row["runs"][1]]
    for own in figures:
        assert (own["tied_rank"] is not None) == ([other["posts"] for other in figures].count(own["posts"]) > 1)
    below = [row for row in document["rows"] if row["runs"][1] is None]
    assert below, "the second run exported ten authors only"
    assert all(row["runs"][0]["posts"] <= row["runs"][1]["posts"] for row in document["rows"] if all(row["runs"]))
    with pytest.raises(NotExported, match="hour that starts at 2020"):
        comparison.comparison(library.exports, first, second, "hour", datetime(2020, 1, 1, tzinfo=UTC), 1)


def _named(library: Library, part: str) -> str:
    return next(run for run in library.reader.runs() if part in run)


def test_runs_are_listed_page_by_page_and_an_unknown_one_names_them(library: Library) -> None:
    listed = []
    before = None
    while page := run_list.runs(library.exports, library.reader, 1, before):
        listed += [run["run_id"] for run in page["runs"]]
        if (before := page["next"]) is None:
            break
    assert listed == ["manual__days", "scheduled__2026-05-01T12:00:00+00:00", "scheduled__2026-05-01T11:00:00+00:00"]
    assert "T12" in str(run_list.latest(library.reader))
    with pytest.raises(NoSuchRun, match="manual-days"):
        library.open("no-such-run")


def test_a_window_that_ends_after_the_interval_is_incomplete_and_not_the_default(library: Library) -> None:
    export_ = library.open("latest")
    export_.manifest["interval"]["end"] = rankings.text(START + timedelta(hours=5, minutes=30))
    columns = rankings.windows_of(library.exports, export_, "hour")["columns"]
    assert columns["complete"] == [True] * 5 + [False]
    assert rankings.window_at(library.exports, export_, "hour", None).start == START + timedelta(hours=4)


def test_the_documentation_lists_every_route_of_the_api() -> None:
    documented = set(re.findall(r"^\| `(/[^`]+)`", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE))
    routers = (router(lambda: None), live_routes.router(live_routes.no_board))
    routes = {route.path for each in routers for route in each.routes if isinstance(route, APIRoute)}
    assert documented == routes | {"/openapi.json"}


def test_times_and_sizes_have_one_form() -> None:
    assert moment(NOON) == "1 May 2026, 12:00"
    assert moment_of("2026-05-01T09:00:05.000Z") == "1 May 2026, 09:00:05"
    assert span(NOON, NOON + timedelta(hours=1)) == "1 May 2026, 12:00 to 13:00 UTC"
    assert span(NOON, NOON + timedelta(hours=12)) == "1 May 2026, 12:00 to 24:00 UTC"
    assert span(NOON, NOON + timedelta(hours=13)) == "1 May 2026, 12:00 to 2 May 2026, 01:00 UTC"
    assert [size(count) for count in (999, 1_234_567, 5 * 10**15)] == ["999 bytes", "1.2 MB", "5,000.0 TB"]
