"""The plug-in's pages in a real browser: clicks, keys, sizes, themes, states, accessibility, and the docs' pictures."""

import csv
import io
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import parquet

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.ranking.export_reader import Copy, Results
from postrank.report.store import Report
from tests.support.lake.exports import HOSTILE, Author, Written, export, plain_posts, ranked, sample_posts
from tests.support.stack.browser import Page, browser, complaints, keep_documentation_picture, keep_picture, prefer
from tests.support.stack.page_server import page_server

BUCKET = "postrank-local-results-123456789012"
POSTS = sample_posts()
INTERVAL = (datetime(2026, 4, 30, 6, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC))
NEWEST = datetime(2026, 5, 1, 11, tzinfo=UTC)


def authors(granularity: str) -> list[Any]:
    """The ranked authors of all windows, without the windows' own rows."""
    return [row for row in ranked(POSTS, granularity, INTERVAL, 100, revision=1) if row[3] > 0]


NEWEST_HOUR = [row for row in authors("hour") if row[1] == NEWEST]
EARLIER = "scheduled__2026-05-01T11:00:00+00:00"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """S3 with a results bucket: the newest run, an earlier one, and runs that are read by their address only."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    export(client, BUCKET, POSTS[:6_000], EARLIER, granularities=("hour", "all"))
    export(client, BUCKET, POSTS, exported_at=_minutes_ago(5))
    yield client
    server.stop()


@pytest.fixture(scope="module")
def base(s3: Any) -> Iterator[str]:
    with page_server(Results(s3, BUCKET)) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def blank(chromium: Any, base: str) -> Iterator[Page]:
    """A light page of the usual size that shows nothing yet."""
    prefer(chromium, "light")
    complaints(chromium)  # forget those of other tests
    page = Page(chromium, base)
    page.resize(1280)
    yield page
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def page(blank: Page) -> Page:
    """The leaderboard."""
    blank.open("leaderboard")
    return blank


def _minutes_ago(minutes: int) -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def _run(s3: Any, name: str, posts: list[Written] = POSTS, **changes: Any) -> str:
    """A run that does not become the newest."""
    return export(s3, BUCKET, posts, name, publish=False, **changes)


# What is shown


def test_the_newest_hour_is_shown_as_it_was_exported(page: Page) -> None:
    assert page.texts("tbody .author .name") == [row[7] or row[6] or row[5] for row in NEWEST_HOUR]
    assert page.texts("tbody td.posts") == [f"{row[8]:,}" for row in NEWEST_HOUR]
    assert page.find("#heading").text == "First 100 authors by posts, 1 May 2026, 11:00 to 12:00 UTC"
    posts = sum(row[8] for row in NEWEST_HOUR)
    everybody = sum(post.at >= datetime(2026, 5, 1, 11, tzinfo=UTC) for post in POSTS)
    assert page.status == (
        f"100 ranked authors; {posts} posts, {posts / everybody:.2%} of all {everybody} posts of this window."
    )
    assert re.search(r"exported \d+ minutes ago", page.find("#about").text)
    keep_picture(page.browser, "leaderboard-light")
    assert complaints(page.browser) == []


def test_authors_with_as_many_posts_are_shown_as_tied(page: Page) -> None:
    posts = [row[8] for row in NEWEST_HOUR]
    expected = [f"={posts.index(own) + 1}" if posts.count(own) > 1 else str(posts.index(own) + 1) for own in posts]
    script = "return [...document.querySelectorAll('td.rank')].map((cell) => cell.firstChild.textContent)"
    assert page.browser.execute_script(script) == expected


def test_movement_is_told_against_the_window_before(page: Page) -> None:
    words = page.browser.execute_script(
        "return [...document.querySelectorAll('tbody .change .unseen')].map((node) => node.textContent)"
    )
    for text, row in zip(words, NEWEST_HOUR, strict=True):
        before, rank = row[10], row[3]
        if before is None:
            assert text == "not in the previous window"
        else:
            assert text == ("unchanged" if before == rank else f"{'up' if before > rank else 'down'} from {before}")


def test_courses_share_a_scale_that_their_head_names(page: Page) -> None:
    wait_for(lambda: len(page.texts("td.course svg")) == len(NEWEST_HOUR), what="a course in every row")
    minutes = [row for row in authors("minute") if row[1] >= NEWEST]
    first = [row[8] for row in minutes if row[5] == NEWEST_HOUR[0][5]]
    assert page.find("td.course svg").accessible_name.endswith(f": {max(first)} posts")
    head = page.find("#course").text
    assert "Posts per minute" in head
    assert f"11:00 to 12:00; scale 0 to {max(row[8] for row in minutes)}, peaks at the right" in head
    page.open("leaderboard?per=minute&window=2026-05-01T11:30:00Z")
    wait_for(lambda: page.browser.find_elements("css selector", "td.course .selected"), what="a marked window")


def test_share_bars_stay_in_their_cells_however_rows_are_sorted(page: Page) -> None:
    page.click("[data-sort=author]")
    widths = page.browser.execute_script(
        "return [...document.querySelectorAll('.bar')].map((bar) => bar.style.getPropertyValue('--part'))"
    )
    parts = [float(width.removesuffix("%")) for width in widths]
    assert max(parts) == 100
    assert parts[0] < 100


def test_what_strangers_wrote_stays_text(page: Page) -> None:
    assert HOSTILE in page.texts("tbody .name")
    assert page.browser.title.startswith("Leaderboard")
    assert page.browser.find_elements("css selector", "td img, th img") == []


def test_times_are_those_of_airflows_time_zone_switch(page: Page) -> None:
    page.browser.execute_script("localStorage.setItem('timezone', JSON.stringify('Asia/Kolkata'))")
    try:
        page.open("leaderboard")
        assert page.find("#heading").text.endswith("1 May 2026, 16:30 to 17:30 Asia/Kolkata")
        assert "16:30" in page.texts("#time option")
        page.open("leaderboard?per=day")
        assert page.find("#heading").text.endswith("30 Apr 2026 (a day of UTC)")
    finally:
        page.browser.execute_script("localStorage.removeItem('timezone')")


# What a person does


def test_a_slash_leads_to_the_search_and_typing_narrows_the_totals_too(page: Page) -> None:
    page.press("/")
    page.press("@SIM_1")
    rows = [row for row in NEWEST_HOUR if (row[6] or "").startswith("sim_1")]
    assert page.texts("tbody .handle") == [f"@{row[6]}" for row in rows]
    assert f"{len(rows)} of {len(NEWEST_HOUR)} ranked authors; {sum(row[8] for row in rows)} posts" in page.status
    assert "only those matching “@SIM_1”" in page.find("#heading").text
    page.press(" nobody at all")
    assert page.texts("#message h2") == ["No authors found"]


def test_the_keyboard_alone_reaches_another_granularity_and_window(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.browser.execute_script("document.querySelector('#pages li:last-child a').focus()")
    page.press(Keys.TAB)
    if page.browser.switch_to.active_element.tag_name == "main":
        page.press(Keys.TAB)
    assert page.browser.switch_to.active_element.get_attribute("value") == "hour"
    page.press(Keys.ARROW_RIGHT)
    assert page.find("#heading").text.endswith("1 May 2026")
    page.press(Keys.TAB, Keys.ENTER)
    assert page.find("#heading").text.endswith("30 Apr 2026")
    assert not page.find("#later").get_attribute("disabled")


def test_every_column_sorts_both_ways_and_says_so(page: Page) -> None:
    columns = {"author": lambda row: (row[7] or row[6] or row[5]).lower(), "posts": lambda row: row[8]}
    for column, value in columns.items():
        page.click(f"[data-sort={column}]")
        head = page.find(f"th:has([data-sort={column}])")
        first = head.get_attribute("aria-sort")
        shown = page.texts("tbody .author .name")
        ordered = sorted(NEWEST_HOUR, key=value, reverse=first == "descending")
        assert shown == [row[7] or row[6] or row[5] for row in ordered]
        page.click(f"[data-sort={column}]")
        assert {first, head.get_attribute("aria-sort")} == {"ascending", "descending"}
    for column in ("rank", "change", "network", "share", "peak_60s"):
        page.click(f"[data-sort={column}]")
        assert len(page.texts("tbody tr")) == len(NEWEST_HOUR)
    page.click("[data-sort=busiest_step]")
    wait_for(lambda: len(page.texts("td.course svg")) == len(NEWEST_HOUR), what="a course in every row")
    peaks = [int(text.replace(",", "")) for text in page.texts("td.course div > span")]
    assert peaks == sorted(peaks, reverse=True)
    assert len(set(peaks)) > 1


def test_what_is_shown_is_what_is_downloaded(page: Page) -> None:
    page.choose("#network", "x")
    page.click("[data-sort=author]")
    shown = page.texts("tbody .author .name")
    links = {
        link.text: link.get_attribute("href") for link in page.browser.find_elements("css selector", "#downloads a")
    }
    rows = list(csv.DictReader(io.StringIO(httpx.get(links["CSV"]).text)))
    table = parquet.read_table(pa.BufferReader(httpx.get(links["Parquet"]).content)).to_pylist()
    for names in (rows, table):
        assert [row["author_name"] or row["author_handle"] or row["author_id"] for row in names] == shown
    assert {row["window_start"] for row in rows} == {"2026-05-01T11:00:00Z"}
    assert {row["window_start"] for row in table} == {datetime(2026, 5, 1, 11, tzinfo=UTC)}


def test_no_cell_of_a_download_is_a_formula(base: str, s3: Any) -> None:
    author = Author("1", "x", "=1+1", "@SUM(A1)")
    run = _run(s3, "manual__formula", [Written(author, INTERVAL[0])])
    query = f"{base}/api/v1/runs/{run}/ranking.csv?granularity=hour"
    (row,) = csv.DictReader(io.StringIO(httpx.get(query).text))
    assert (row["author_handle"], row["author_name"]) == ("'=1+1", "'@SUM(A1)")


def test_a_view_can_be_shared_by_its_address(page: Page) -> None:
    page.choose("#day", "30 Apr 2026")
    page.choose("#time", "09:00")
    page.choose("#network", "bluesky")
    page.click("[data-sort=posts]")
    page.click("[data-sort=posts]")
    shown, address = page.texts("tbody .name"), page.browser.current_url
    assert shown
    page.open("leaderboard")
    assert page.texts("tbody .name") != shown
    page.browser.get(address)
    page.settle()
    assert page.texts("tbody .name") == shown
    assert "30 Apr 2026, 09:00 to 10:00 UTC; only those on bluesky" in page.find("#heading").text


def test_ten_thousand_authors_are_shown_and_searched_without_waiting(blank: Page, s3: Any) -> None:
    first = datetime(2026, 5, 2, 8, tzinfo=UTC)
    posts = [
        Written(Author(str(number), "x", f"sim_{number}", f"Simulated {number}"), first + timedelta(seconds=at))
        for number in range(10_000)
        for at in range(0, 3600, 3600 // (1 + 4_000 // (number + 100)))
    ]
    run = _run(s3, "manual__many", posts, top=10_000, granularities=("minute", "hour"))
    blank.open(f"leaderboard?per=hour&run={run}")
    assert "10,000 ranked authors, showing 1 to 100" in blank.status
    blank.click("[data-go=last]")
    assert blank.texts("tbody tr")[-1].split()[0].startswith("=")
    shown, typed = (blank.browser.execute_script(script) for script in (_SECONDS_TO_SHOW, _SECONDS_TO_SEARCH))
    print(f"10,000 authors: shown after {shown:.2f} s, a key of a search answered after {typed:.3f} s")
    assert shown < patient(5)
    assert typed < patient(0.5)


_SECONDS_TO_SHOW = "return performance.getEntriesByName('ranking-shown')[0].startTime / 1000"
_SECONDS_TO_SEARCH = """
    const search = document.getElementById('search'), start = performance.now();
    search.value = '99';
    search.dispatchEvent(new Event('input'));
    document.body.offsetHeight;  // lays out what was rendered
    return (performance.now() - start) / 1000;
"""


# States that explain themselves


def test_a_narrowed_ranking_says_so_in_its_heading(blank: Page, s3: Any) -> None:
    posts = [post for post in POSTS if post.author.network in ("x", "bluesky")]
    changes = {"networks": ["bluesky", "x"], "order": "peak_60s", "include_reposts": False, "top": 3}
    run = _run(s3, "manual__narrowed", posts, interval_requested=True, **changes)
    blank.open(f"leaderboard?run={run}")
    assert blank.find("#heading").text == (
        "First 3 authors by peak in 60 s on bluesky and x, without reposts, 1 May 2026, 11:00 to 12:00 UTC"
    )
    own = [post for post in posts if post.at >= datetime(2026, 5, 1, 11, tzinfo=UTC)]
    assert f"of all {len(own)} posts on bluesky and x of this window" in blank.status
    assert "interval 30 Apr 2026, 06:00 to 1 May 2026, 12:00 UTC; first 3 of each window" in blank.find("#about").text


def test_authors_below_the_exported_top_are_explained(blank: Page, s3: Any) -> None:
    run = _run(s3, "manual__top", top=3)
    blank.open(f"leaderboard?run={run}")
    assert "The export holds the first 3 authors of each window: the last of them has" in blank.find("#below").text
    blank.press("/", "sim_139")
    assert blank.texts("#message h2") == ["No authors found"]
    assert "run rank_authors with a larger top" in blank.find("#message p").text


def test_an_incomplete_hour_is_hatched_and_never_the_default(blank: Page, s3: Any) -> None:
    interval = {"start": "2026-04-30T06:00:00Z", "end": "2026-05-01T11:30:00Z"}
    run = _run(
        s3,
        "manual__cut",
        [post for post in POSTS if post.at < datetime(2026, 5, 1, 11, 30, tzinfo=UTC)],
        interval=interval,
    )
    blank.open(f"leaderboard?run={run}&per=hour")
    assert blank.find("#heading").text.endswith("1 May 2026, 10:00 to 11:00 UTC")
    assert not blank.find("#notice").is_displayed()
    blank.choose("#time", "11:00 (incomplete)")
    assert "This window is incomplete: it ends at 1 May 2026, 12:00 UTC" in blank.find("#notice").text
    bar = "return getComputedStyle(document.querySelector('.bar'), '::before').backgroundImage"
    assert "repeating-linear-gradient" in blank.browser.execute_script(bar)
    keep_picture(blank.browser, "leaderboard-incomplete")


def test_an_unknown_run_and_an_empty_scope_explain_themselves(blank: Page, s3: Any) -> None:
    blank.open("leaderboard?run=no-such-run")
    assert blank.texts("#message h2") == ["There is no such run"]
    assert "scheduled-2026-05-01T11" in blank.find("#message p").text
    run = _run(s3, "manual__empty", [Written(Author("1"), INTERVAL[0])], top=0, networks=["mastodon:social.example"])
    blank.open(f"leaderboard?run={run}")
    assert blank.texts("#message h2") == ["This run ranked no authors"]
    assert "only mastodon:social.example" in blank.find("#message p").text


def test_a_stale_ranking_says_how_old_it_is(chromium: Any, blank: Page, tmp_path: Path, s3: Any) -> None:
    s3.create_bucket(Bucket="stale-results")
    export(s3, "stale-results", POSTS[:50], exported_at=_minutes_ago(60 * 7))
    with page_server(Results(s3, "stale-results")) as address:
        page = Page(chromium, address)
        page.open("leaderboard")
        assert "it was exported 7 hours ago" in page.find("#notice").text


def test_a_newer_ranking_is_offered_and_not_forced_upon_the_reader(chromium: Any, blank: Page, s3: Any) -> None:
    s3.create_bucket(Bucket="moving-results")
    with page_server(Results(s3, "moving-results")) as address:
        page = Page(chromium, address)
        page.open("leaderboard")
        assert page.texts("#message h2") == ["Nothing is ranked yet"]
        keep_picture(chromium, "leaderboard-empty")
        export(s3, "moving-results", POSTS[:500])
        page.find("#message button").click()
        wait_for(lambda: page.texts("tbody td.rank"), what="the ranking after another try")
        before = page.texts("tbody .name")
        export(s3, "moving-results", POSTS[:1], "manual__newer")
        chromium.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        wait_for(lambda: page.find("#newer").is_displayed(), what="the offer")
        assert page.texts("tbody .name") == before
        page.find("#newer button").click()
        page.settle()
        wait_for(lambda: len(page.texts("tbody .author .name")) == 1, what="the newer ranking")
        assert not page.find("#newer").is_displayed()


def test_what_takes_long_says_that_it_is_on_its_way(blank: Page) -> None:
    slow = {"offline": False, "latency": 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    blank.browser.execute_cdp_cmd("Network.enable", {})
    blank.browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        blank.browser.get(f"{blank.base}/leaderboard")
        wait_for(lambda: blank.status == "Loading …", what="a word of patience")
    finally:
        blank.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "latency": 0})
    blank.settle()
    assert "ranked authors" in blank.status


def test_a_bucket_that_cannot_be_read_is_told_with_the_reason(chromium: Any, blank: Page, s3: Any) -> None:
    with page_server(Results(s3, "absent-results")) as address:
        page = Page(chromium, address)
        page.open("leaderboard")
        assert page.texts("#message h2") == ["The ranking cannot be shown"]
        assert "NoSuchBucket" in page.find("#message p").text


# Runs


def test_runs_are_listed_newest_first_and_two_are_compared(blank: Page) -> None:
    blank.open("runs")
    assert "newest" in blank.find("tr:has(a[href*='manual-one']) th").text
    for name in ("manual__one", EARLIER):
        blank.find(f"input[aria-label='Compare {name}']").click()
    blank.find("#compare").click()
    wait_for(lambda: "compare?first=" in blank.browser.current_url, what="the comparison")
    blank.settle()
    first = blank.find("#first").get_attribute("value")
    assert first.startswith("scheduled-2026-05-01T11")
    assert blank.find("#heading").text == "Authors in 1 May 2026, 11:00 to 12:00 UTC"
    row = blank.find("tbody tr").text.split()
    assert re.fullmatch(r"[+−]?\d+", row[-1])
    keep_picture(blank.browser, "compare")
    assert complaints(blank.browser) == []


def test_runs_without_anything_in_common_and_a_single_run_are_explained(blank: Page, s3: Any, tmp_path: Path) -> None:
    days = _run(s3, "manual__days", POSTS[:100], granularities=("day",))
    minutes = _run(s3, "manual__minutes", POSTS[:100], granularities=("minute",))
    blank.open(f"compare?first={days}&second={minutes}")
    assert blank.texts("#message h2") == ["These runs have nothing in common"]
    with page_server(Copy(tmp_path)) as address:
        page = Page(blank.browser, address)
        page.open("runs")
        assert page.texts("#message h2") == ["No run has exported a ranking yet"]
        page.open("compare")
        assert page.texts("#message h2") == ["There is nothing to compare"]


def test_older_runs_follow_page_by_page(base: str) -> None:
    first = httpx.get(f"{base}/api/v1/runs?limit=1").json()
    listed = [run["run"] for run in first["runs"]]
    page = first
    while page["next"]:
        page = httpx.get(f"{base}/api/v1/runs", params={"limit": 1, "before": page["next"]}).json()
        listed += [run["run"] for run in page["runs"]]
    assert len(listed) == len(set(listed))
    assert {run["run"] for run in httpx.get(f"{base}/api/v1/runs?limit=100").json()["runs"]} == set(listed)


# Trends and authors


def test_trends_show_the_newest_windows_and_sort_by_change(blank: Page) -> None:
    blank.open("trends?per=hour&windows=6")
    assert blank.find("#heading").text == "50 authors by posts over 6 hours, 1 May 2026, 06:00 to 12:00 UTC"
    recent = [post for post in POSTS if post.at >= datetime(2026, 5, 1, 6, tzinfo=UTC)]
    assert blank.status.startswith(f"{len(recent):,} posts in all")
    changes = [float(text.replace("▲ ", "").replace("▼ ", "-") or 0) for text in blank.texts("tbody td.change")]
    assert changes == sorted(changes, reverse=True)
    blank.click("[data-sort=posts]")
    assert blank.find("tbody .name").text == "Simulated 0"
    blank.choose("#windows", "12 windows")
    assert "over 12 hours" in blank.find("#heading").text
    assert complaints(blank.browser) == []


def test_a_name_leads_to_the_author_with_course_peaks_and_links_to_posts(page: Page) -> None:
    page.find("tbody .author a").click()
    wait_for(lambda: "/author?" in page.browser.current_url, what="the author's page")
    page.settle()
    assert page.find("h1").text == "Simulated 0"
    own = [post for post in POSTS if post.author.id == "1000"]
    hours = [row for row in authors("hour") if row[5] == "1000"]
    assert page.find("#below").text == f"Ranked in {len(hours)} of 30 windows."
    whole = page.find("#peaks tbody tr:last-child").text
    assert f"{len(own):,}" in whole
    assert page.texts("#ranks tbody td:nth-child(3)") == [str(row[8]) for row in reversed(hours)]
    link = page.find("#ranks a[href*='x.com']").get_attribute("href")
    assert link.startswith("https://x.com/search?q=from%3Asim_0+since_time%3A1777633200")
    page.choose("#per", "Day")
    assert "Ranked in 2 of 2 windows." in page.find("#below").text
    assert complaints(page.browser) == []


def test_an_author_below_the_exported_top_is_explained(blank: Page) -> None:
    blank.open("author?network=x&id=nobody")
    assert blank.texts("#message h2") == ["This run does not have that"]
    assert "it holds the first 100 of each window" in blank.find("#message p").text


# Sizes, themes, accessibility

VIEWS = {
    "leaderboard": "leaderboard",
    "minutes": "leaderboard?per=minute",
    "sorted": "leaderboard?q=sim_1&sort=posts&desc=1",
    "unknown": "leaderboard?run=no-such-run",
    "runs": "runs",
    "compare": "compare",
    "trends": "trends",
    "author": "author?network=x&id=1000",
    "no author": "author?network=x&id=nobody",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_page_is_accessible_in_both_themes(view: str, theme: str, blank: Page) -> None:
    prefer(blank.browser, theme)
    blank.open(VIEWS[view])
    assert blank.violations() == []
    colour = [int(part) for part in re.findall(r"\d+", blank.find("body").value_of_css_property("background-color"))]
    assert (sum(colour[:3]) < 120) == (theme == "dark")
    assert _low_contrast(blank) == []
    keep_picture(blank.browser, f"{view}-{theme}")


@pytest.fixture(scope="module")
def report(s3: Any, base: str) -> str:
    """The address of a stored report."""
    run = _run(s3, "manual__report")
    Report(Results(s3, BUCKET), run).store()
    return f"{base}/runs/{run}/report"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_report_is_accessible_in_both_themes_and_on_a_phone(
    theme: str, blank: Page, report: str, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"  # where no sandbox keeps axe from running
    file.write_bytes(httpx.get(report).content)
    prefer(blank.browser, theme)
    for width in (1280, 390):
        blank.resize(width, 2600)
        blank.browser.get(file.as_uri())
        wait_for(lambda: blank.texts("h2"), what="the report")
        assert blank.violations() == []
        assert _low_contrast(blank) == []
        assert blank.browser.execute_script("return document.documentElement.scrollWidth") <= width
        keep_picture(blank.browser, f"report-{theme}-{width}")
    tops = "return ['table', '.numbers'].map((name) => document.querySelector(name).getBoundingClientRect().top)"
    table, numbers = blank.browser.execute_script(tops)
    assert table < numbers


def _low_contrast(page: Page) -> list[str]:
    """Marks of charts whose contrast with the page is below 3:1 (axe judges texts)."""
    return page.browser.execute_script(_LOW_CONTRAST)


_LOW_CONTRAST = """
    const parse = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = (rgb) => rgb.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const contrast = (a, b) => {
      const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
      return (x + 0.05) / (y + 0.05);
    };
    const paper = parse(getComputedStyle(document.body).backgroundColor);
    const marks = [...document.querySelectorAll('svg .mark, svg .cell, svg .area, svg .peak')]
      .map((mark) => getComputedStyle(mark).fill);
    const bars = [...document.querySelectorAll('.bar')].map((bar) => getComputedStyle(bar, '::before').backgroundColor);
    const edges = [...document.querySelectorAll('button, select, input[type=search]')]
      .filter((control) => !control.disabled && getComputedStyle(control).borderTopWidth !== '0px')
      .map((control) => getComputedStyle(control).borderTopColor);
    return [...new Set([...marks, ...bars, ...edges])].filter((colour) => contrast(parse(colour), paper) < 3);
"""


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_gets_the_table_first_and_nothing_wider_than_itself(view: str, blank: Page) -> None:
    blank.resize(390, 844)
    blank.open(VIEWS[view])
    assert blank.browser.execute_script("return document.documentElement.scrollWidth") <= 390
    if view in ("leaderboard", "minutes"):
        assert not blank.find("#search").is_displayed()
        assert blank.browser.execute_script("return document.querySelector('table').getBoundingClientRect().top") < 320
        blank.click("#filters summary")
        assert blank.find("#search").is_displayed()
        blank.click("#filters summary")
    assert blank.violations() == []
    keep_picture(blank.browser, f"{view}-390")


def test_the_table_has_heads_for_rows_and_columns(page: Page) -> None:
    assert page.find("table").accessible_name == "First 100 authors by posts, 1 May 2026, 11:00 to 12:00 UTC"
    roles = {page.find(selector).aria_role for selector in ("tbody th", "#status", "#search")}
    assert roles == {"rowheader", "status", "searchbox"}


# The API and the files


@pytest.mark.parametrize(
    "path",
    [
        "api/v1/runs/..%2f..%2fquery-results",
        "api/v1/runs/latest/windows?granularity=week",
        "api/v1/runs/latest/ranking?granularity=hour&window=yesterday",
        "api/v1/runs/latest/ranking?granularity=hour&sort=author_id;drop",
        "api/v1/runs/latest/ranking.xlsx?granularity=hour",
        "api/v1/runs/latest/courses?granularity=hour&window=2026-05-01T11:00:00Z&ranks=1;2",
        "api/v1/runs?limit=0",
        "..%2fplugins",
        "assets/..%2fleaderboard.html",
        "runs/latest/..%2f..%2flatest.json",
    ],
)
def test_what_is_asked_wrongly_is_refused(path: str, base: str) -> None:
    assert httpx.get(f"{base}/{path}").status_code in (404, 422)


def test_files_of_an_export_are_those_that_its_manifest_lists(base: str, s3: Any) -> None:
    manifest = httpx.get(f"{base}/api/v1/runs/latest/manifest").json()
    for file in manifest["files"][:3]:
        name = file["key"].split("/", 2)[2]
        response = httpx.get(f"{base}/runs/{manifest['run']}/{name}")
        assert len(response.content) == file["bytes"]
        assert "attachment" in response.headers["content-disposition"]
    assert httpx.get(f"{base}/runs/{manifest['run']}/granularity=hour/other.csv").status_code == 404


def test_a_run_shows_its_report_whose_links_lead_to_the_files(blank: Page, report: str) -> None:
    browser = blank.browser
    browser.get(f"{blank.base}/report?dag_id=rank_authors&run_id=manual__report")
    assert browser.current_url == report
    assert blank.texts("h2")[:3] == ["Top authors", "Posts per minute", "When the top authors posted"]
    assert not blank.find("details table").is_displayed()
    for link in browser.find_elements("css selector", "td a")[:3]:
        assert httpx.get(link.get_attribute("href")).is_success
    browser.get(f"{blank.base}/report?dag_id=check_delivery&run_id=manual__report")
    assert blank.find("h1").text == "No report"


def test_the_pictures_of_the_docs_show_no_error(chromium: Any, blank: Page, s3: Any) -> None:
    s3.create_bucket(Bucket="picture-results")
    export(s3, "picture-results", plain_posts(posts=8_000), EARLIER)
    run = export(s3, "picture-results", plain_posts(), "scheduled__2026-05-01T12:00:00+00:00")
    Report(Results(s3, "picture-results"), run).store()
    with page_server(Results(s3, "picture-results")) as address:
        page = Page(chromium, address)
        page.resize(1280, 820)
        for name, path, theme in PICTURES:
            prefer(chromium, theme)
            page.open(path)
            if path.startswith("leaderboard"):
                wait_for(lambda: len(page.texts("td.course svg")) == len(page.texts("td.rank")), what="all courses")
            keep_documentation_picture(chromium, name)
        prefer(chromium, "light")
        chromium.get(f"{address}/runs/{run}/report")
        wait_for(lambda: page.texts("h2"), what="the report")
        keep_documentation_picture(chromium, "report")
        assert complaints(chromium) == []


PICTURES = (
    ("leaderboard", "leaderboard?per=hour", "light"),
    ("leaderboard-dark", "leaderboard?per=hour", "dark"),
    ("compare", "compare", "light"),
    ("trends", "trends", "light"),
    ("author", "author?network=x&id=1000", "light"),
)
