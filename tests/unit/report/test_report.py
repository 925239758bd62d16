"""The report of a run, and what is drawn in it, from exports that the product's own exporter wrote."""

import hashlib
import json
import logging
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from postrank.cli.report import report as report_command
from postrank.ranking.export_reader import Results
from postrank.report.charts import course_chart, heat_map, nice_ceiling, shortened
from postrank.report.exports import Exports, NotExported
from postrank.report.ledgers import Ledgers
from postrank.report.store import Report
from postrank.report.windows import Window, course, of_window, span_of_course, windows
from tests.support.lake.exports import HOSTILE, Author, Written, export, sample_posts

BUCKET, RAW = "postrank-local-results-123456789012", "postrank-local-raw-123456789012"
POSTS = sample_posts()
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=endpoint, **KEYS)
    for bucket in (BUCKET, RAW):
        client.create_bucket(Bucket=bucket)
    return client


@pytest.fixture(scope="module")
def results(s3: Any) -> Results:
    return Results(s3, BUCKET)


@pytest.fixture(scope="module")
def run(s3: Any) -> str:
    return export(s3, BUCKET, POSTS)


@pytest.fixture(scope="module")
def html(results: Results, run: str) -> str:
    return Report(results, run).make().decode()


class Reader(HTMLParser):
    """The texts below each heading of the second level, and every attribute value."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: dict[str, list[str]] = {}
        self.tags: Counter[str] = Counter()
        self.addresses: list[str] = []
        self._heading, self._in_heading = "", False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._in_heading = tag == "h2"
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self._heading, self._in_heading = data, False
        else:
            self.sections.setdefault(self._heading, []).append(data)


def test_the_report_stands_alone_and_runs_nothing(html: str) -> None:
    read = Reader(html)
    assert all(address.startswith("granularity=") for address in read.addresses)
    assert read.tags["script"] == read.tags["img"] == read.tags["link"] == 0
    assert "url(" not in html


def test_what_strangers_wrote_is_escaped(html: str) -> None:
    assert "<img" not in html
    assert HOSTILE in Reader(html).sections["Top authors"]


def test_the_top_authors_are_those_counted(html: str) -> None:
    counted = Counter(post.author for post in POSTS)
    best = sorted(counted, key=lambda one: (-counted[one], one.network, one.id))[:20]
    texts = Reader(html).sections["Top authors"]
    for rank, author in enumerate(best, 1):
        at = texts.index(shortened(author.name or author.handle or author.id, 60))
        assert texts[at - 1] == str(rank)
        assert f"{counted[author]:,}" in texts[at + 1 : at + 7]


def test_every_picture_is_well_formed_and_named(html: str) -> None:
    pictures = [ET.fromstring(text) for text in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
    assert [picture.get("aria-label") for picture in pictures] == [
        "Posts per minute over time",
        "When the top authors posted",
    ]


def test_the_heat_map_counts_each_author_by_hour(html: str) -> None:
    first = Counter(post.author for post in POSTS).most_common(1)[0][0]
    hours = Counter(post.at.hour for post in POSTS if post.author == first and post.at < NOON - timedelta(hours=6))
    title = f"{first.name}, 09: {hours[9]:,} posts"
    assert title in "\n".join(Reader(html).sections["When the top authors posted"])


def test_the_heat_map_shows_values_and_says_what_its_colours_stand_for() -> None:
    picture = heat_map(["Ann", "Bob"], ["00", "01"], [[100, 1], [0, 40]], "name")
    cells = re.findall(r'class="(cell level-\d|none)"', picture)
    assert cells[:4] == ["cell level-5", "cell level-1", "none", "cell level-2"]
    assert re.findall(r"value on-(\d)[^>]*>(\d+)<", picture) == [("5", "100"), ("1", "1"), ("2", "40")]
    assert re.findall(r">([\d,]+ to [\d,]+)<", picture) == ["1 to 20", "21 to 40", "41 to 60", "61 to 80", "81 to 100"]


def test_the_course_of_posts_has_dates_ticks_and_its_peak() -> None:
    start = datetime(2026, 4, 30, 22, tzinfo=UTC)
    picture = course_chart([1, 4, 2, 3], start, timedelta(hours=1), "name")
    texts = re.findall(r"<text[^>]*>([^<]+)<", picture)
    assert "peak: 4 a minute, 30 Apr 2026, 23:00" in texts
    assert [text for text in texts if "Apr" in text or "May" in text][:2] == ["30 Apr 2026", "1 May"]
    assert {"22:00", "00:00", "01:00", "posts a minute"} <= set(texts)


def test_files_are_links_beside_the_report_and_checksums_are_folded(html: str, results: Results, run: str) -> None:
    files = results.manifest(run)["files"]
    assert Reader(html).addresses == [file["key"].removeprefix(f"rankings/run={run}/") for file in files]
    folded = html[html.index("<details") : html.index("</details>")]
    assert all(file["sha256"] in folded for file in files)
    assert html.count(files[0]["sha256"]) == 1


def test_authors_of_equal_posts_are_tied_in_the_report(s3: Any, results: Results) -> None:
    posts = [Written(Author(name), NOON + timedelta(seconds=at)) for name in "abc" for at in range(3 - (name == "c"))]
    run = export(s3, BUCKET, posts, "manual__ties", publish=False)
    texts = Reader(Report(results, run).make().decode()).sections["Top authors"]
    assert [text for text in texts if text.startswith("=")] == ["=1", "=1"]
    assert "3" in texts


def test_gaps_and_hops_of_the_run_come_from_the_ledgers(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__gaps", arrival_hours=["2026-05-01T10"])
    gap = {"collector": "c1", "source": "bluesky", "reason": "connection lost", "recovered_by": None}
    span = {"gap_from": "2026-05-01T09:00:00.000Z", "gap_to": "2026-05-01T09:07:00.000Z"}
    rows = [
        {**gap, **span, "noted_at": "2026-05-01T09:07:01.000Z"},
        {**gap, **span, "noted_at": "2026-05-01T10:00:00.000Z", "recovered_by": "timeline"},
        {**gap, "gap_from": "2020-01-01T00:00:00.000Z", "gap_to": "2020-01-02T00:00:00.000Z", "noted_at": "2026-05-01"},
    ]
    hops = [{"collector": "c1", "hop": "source", "read": read, "noted_at": f"2026-05-01T10:0{read}"} for read in (7, 5)]
    _note(s3, "gaps", rows)
    _note(s3, "hop_counts", hops)
    exports = Exports(results)
    Ledgers(s3, RAW, "ledgers/").export(exports.open(run), results)
    found = exports.ledgers(exports.open(run))
    assert found is not None
    assert [(one["gap_from"], one["recovered_by"]) for one in found["gaps"]] == [(span["gap_from"], "timeline")]
    assert [one["read"] for one in found["hop_counts"]] == [7]
    sections = Reader(Report(results, run).make().decode()).sections
    assert "connection lost" in sections["Gaps"]
    matrix = sections["From source to ranking"]
    heads = matrix[: matrix.index("source, c1")]
    assert heads[:4] == ["Step", "read", "post lines", "delete lines"]
    assert matrix[matrix.index("source, c1") :][:2] == ["source, c1", "7"]
    assert "1 May 2026, 09:00" in sections["Gaps"]


def _note(s3: Any, kind: str, rows: list[dict[str, Any]]) -> None:
    import orjson

    body = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    s3.put_object(Bucket=RAW, Key=f"ledgers/{kind}/dt=2026-05-01/c1-1.ndjson", Body=body)


def test_hashtags_are_shown_as_they_were_exported(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__hashtags")
    found = [
        {"hashtag": f"tag{n}" if n else HOSTILE, "posts": 50 - n, "authors": 2, "mean_length": 81.5} for n in range(30)
    ]
    days = [{"posted_date": f"2026-05-0{n}", "rank": 1, "hashtag": HOSTILE, "posts": n} for n in (1, 2)]
    _put_document(s3, run, "hashtags.json", {"hashtags": found, "days": days})
    html = Report(results, run).make().decode()
    shown = Reader(html).sections
    assert shown["Hashtags"][4:8] == [shortened(f"#{HOSTILE}", 60), "50", "2", "82"]
    assert "#tag19" in shown["Hashtags"]
    assert "#tag20" not in shown["Hashtags"]
    hostile = shortened(f"#{HOSTILE}", 60)
    assert shown["Hashtags by day"][2:] == ["2026-05-01", hostile, " 1", "2026-05-02", hostile, " 2"]
    assert "<img" not in html
    without = Report(results, export(s3, BUCKET, POSTS, "manual__none")).make().decode()
    assert "The hashtags were not exported" in without
    assert "The posts by type were not exported" in without


def test_posts_are_told_by_day_and_type_and_how_long_they_are(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__types")
    best = Exports(results).table(Exports(results).open(run), "all").to_pylist()[0]
    day = {"posted_date": "2026-05-01", "authors": 1}
    types = [
        {**day, "type": "original", "posts": 3000, "mean_length": 100.0},
        {**day, "type": "reply", "posts": 1000, "mean_length": 20.0},
        {**day, "type": "repost", "posts": 5, "mean_length": None},
    ]
    author = {"network": best["network"], "author_id": best["author_id"], "posts": 1, "mean_length": 1234.4}
    _put_document(s3, run, "posts.json", {"types": types, "authors": [author]})
    shown = Reader(Report(results, run).make().decode()).sections
    assert shown["Posts by day and type"][:7] == [
        "Day", "Originals", "Replies", "Reposts", "Quotes", "All", "Mean length, characters",
    ]  # fmt: skip
    assert shown["Posts by day and type"][7:] == ["2026-05-01", "3,000", "1,000", "5", "4,005", "80"]
    assert "1,234" in shown["Top authors"]


def test_requests_of_access_logs_are_ranked_by_host_and_path(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__requests")
    row = {"posted_date": None, "rank": 1, "network": "web", "requests": 1200, "client_errors": 3, "server_errors": 0}
    busiest = [
        {**row, "kind": "host", "name": HOSTILE, "others": 7, "bytes": 2048},
        {**row, "kind": "host", "name": "day", "others": 1, "bytes": 1, "posted_date": "2026-05-01"},
        {**row, "kind": "path", "name": None, "others": 5, "bytes": None},
    ]
    _put_document(s3, run, "requests.json", {"busiest": busiest})
    html = Report(results, run).make().decode()
    shown = Reader(html).sections["Requests"]
    heads = ["Rank", "Host", "Requests", "Status 4xx", "Status 5xx", "Paths", "Bytes"]
    assert shown[:8] == ["By host", *heads]
    assert shown[8:15] == ["1", shortened(HOSTILE, 60), "1,200", "3", "0", "7", "2,048"]
    assert shown[15] == "By path"
    assert shown[23:] == ["1", "not logged", "1,200", "3", "0", "5"]
    assert "<img" not in html
    assert (
        "Requests" not in Reader(Report(results, export(s3, BUCKET, POSTS, "manual__no_logs")).make().decode()).sections
    )


def _put_document(s3: Any, run: str, name: str, content: dict[str, Any]) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"rankings/run={run}/{name}", Body=json.dumps(content))


def test_the_report_is_listed_by_its_digest_however_often_it_is_made_and_the_manifest_stays(
    s3: Any, results: Results
) -> None:
    run = export(s3, BUCKET, POSTS, "manual__listed")
    manifest = results.body(f"rankings/run={run}/manifest.json")
    for _ in range(2):
        Report(results, run).store()
        (listed,) = json.loads(results.body(f"rankings/run={run}/documents.json"))["documents"]
        body = results.body(listed["key"])
        assert listed["key"] == f"rankings/run={run}/report.html"
        assert (listed["bytes"], listed["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        assert results.body(f"rankings/run={run}/manifest.json") == manifest


def test_a_run_that_exported_only_days_says_what_is_missing(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__days", granularities=("day",))
    sections = Reader(Report(results, run).make().decode()).sections
    assert "No ranking per hour was exported." in sections["When the top authors posted"]
    assert "Top authors of the day from 1 May 2026, 00:00 UTC" in sections
    with pytest.raises(NotExported, match="no ranking per hour"):
        Exports(results).table(Exports(results).open(run), "hour")


def test_a_run_without_any_row_still_has_a_report(s3: Any, results: Results) -> None:
    late = [Written(Author("1"), NOON)]
    run = export(s3, BUCKET, late, "manual__empty", top=0)
    assert "No ranked authors." in Report(results, run).make().decode()


def test_the_command_writes_the_newest_report(
    endpoint: str, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(s3, BUCKET, POSTS, "manual__newest")
    settings = {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "POSTRANK_ACCOUNT": "123456789012"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {**settings, **keys}.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(report_command, ["--out", str(tmp_path / "r.html")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "manual__newest" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_windows_posts_are_everybodys_even_when_few_are_ranked(s3: Any, results: Results) -> None:
    run = export(s3, BUCKET, POSTS, "manual__top3", top=3)
    exports = Exports(results)
    found = windows(exports.table(exports.open(run), "hour"))
    assert {window.start: window.posts for window in found} == Counter(
        post.at.replace(minute=0, second=0) for post in POSTS
    )


def test_the_course_of_an_author_adds_up_to_their_posts(results: Results, run: str) -> None:
    exports = Exports(results)
    one = exports.open(run)
    hour = windows(exports.table(one, "hour"))[-1]
    authors = of_window(exports.table(one, "hour"), hour.start).slice(0, 10)
    finer, start, steps = span_of_course("hour", hour)
    found = course(exports.table(one, "minute"), authors, finer, start, steps)
    assert [sum(posts for _, posts in series) for series in found.series] == authors["posts"].to_pylist()
    assert all(0 <= step < 60 for series in found.series for step, _ in series)


@pytest.mark.parametrize(
    ("granularity", "length", "expected"),
    [
        ("minute", timedelta(minutes=1), ("minute", NOON - timedelta(minutes=59), 60)),
        ("hour", timedelta(hours=1), ("minute", NOON, 60)),
        ("day", timedelta(days=1), ("hour", NOON, 24)),
        ("all", timedelta(days=2), ("hour", NOON, 48)),
        ("all", timedelta(days=9), ("day", NOON - timedelta(hours=12), 10)),
    ],
)
def test_a_window_is_drawn_in_the_next_finer_steps(granularity: str, length: timedelta, expected: Any) -> None:
    assert span_of_course(granularity, Window(NOON, NOON + length, 1)) == expected


def test_a_label_of_the_heat_map_fits_its_column_in_any_script() -> None:
    labels = ["Ann", "M" * 40, "作" * 40, "é" * 22]
    shown = re.findall(r'class="end">([^<]*)<', heat_map(labels, ["00"], [[1]] * 4, "name"))
    assert shown[:4] == ["Ann", "M" * 21 + "…", "作" * 10 + "…", "é" * 22]


@pytest.mark.parametrize(("value", "top"), [(0, 1), (0.3, 0.5), (1, 1), (7.2, 10), (11, 20), (201, 250), (999, 1000)])
def test_an_axis_ends_at_a_number_that_can_be_read(value: float, top: float) -> None:
    assert nice_ceiling(value) == pytest.approx(top)
