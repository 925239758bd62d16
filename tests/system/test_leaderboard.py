"""The leaderboard, in a real browser against a real api-server and an S3 that speaks the real protocol."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.ranking.export_reader import Results
from postrank.report.store import Report
from tests.support.lake.exports import HOSTILE, Author, Written, export, plain_posts, ranked, sample_posts
from tests.support.stack.airflow_server import PASSWORD, USER, api_server, token
from tests.support.stack.browser import (
    browser,
    complaints,
    fill_in_login,
    keep_documentation_picture,
    keep_picture,
    log_in,
    prefer,
)

BUCKET = "postrank-local-results-123456789012"
POSTS = sample_posts()
INTERVAL = (datetime(2026, 4, 30, 6, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC))
NEWEST_HOUR = [row for row in ranked(POSTS, "hour", INTERVAL, 100) if row[1].isoformat() == "2026-05-01T11:00:00+00:00"]
DATA = ("api/runs/latest", "api/runs/latest/manifest", "api/runs/latest/windows?granularity=hour", "runs/any/report")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(endpoint: str) -> Any:
    """S3 with an empty results bucket."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return client


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Iterator[str]:
    """An Airflow with a login."""
    with api_server(tmp_path_factory.mktemp("airflow"), endpoint) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(url: str) -> Iterator[Any]:
    """A browser that is logged in."""
    with browser() as running:
        log_in(running, url, USER, PASSWORD)
        yield running


@pytest.fixture
def stranger() -> Iterator[Any]:
    """A browser without a session."""
    with browser() as running:
        yield running


@pytest.fixture
def page(chromium: Any, url: str, s3: Any) -> "Page":
    export(s3, BUCKET, POSTS)
    prefer(chromium, "light")
    complaints(chromium)  # forget those of other tests
    shown = Page(chromium, url)
    shown.open()
    return shown


class Page:
    """What a person does with the page, and sees of it."""

    def __init__(self, running: Any, url: str) -> None:
        self.browser, self.url = running, url

    def open(self, query: str = "") -> None:
        self.browser.get(f"{self.url}/postrank/leaderboard{query}")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being fetched and something is said."""
        idle = "return !document.body.hasAttribute('aria-busy') && !!document.querySelector('#about a, #message h2')"
        wait_for(lambda: self.browser.execute_script(idle), timeout=20, what="the page")

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
        return self.browser.execute_script(script, selector)

    @property
    def status(self) -> str:
        return self.find("#status").text

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(selector)).select_by_visible_text(text)
        self.settle()


def test_the_newest_hour_is_shown_as_it_was_exported(page: Page) -> None:
    assert page.texts("tbody td.rank") == [str(row[3]) for row in NEWEST_HOUR]
    assert page.texts("tbody .name") == [row[7] or row[6] or row[5] for row in NEWEST_HOUR]
    assert page.texts("tbody .change + th + td") == [f"{row[8]:,}" for row in NEWEST_HOUR]
    assert "1 May 2026, 11:00 to 12:00 UTC" in page.status
    assert "exported 5 minutes ago" in page.find("#about").text
    keep_picture(page.browser, "leaderboard-light")
    assert complaints(page.browser) == []


def test_movement_is_told_against_the_window_before(page: Page) -> None:
    words = page.browser.execute_script(
        "return [...document.querySelectorAll('tbody .change .unseen')].map((one) => one.textContent)"
    )
    for said, row in zip(words, NEWEST_HOUR, strict=True):
        before, rank = row[10], row[3]
        if before is None:
            assert said == "not in the previous window"
        else:
            assert said == ("unchanged" if before == rank else f"{'up' if before > rank else 'down'} from {before}")


def test_each_author_has_a_course_that_says_its_peak(page: Page) -> None:
    wait_for(lambda: len(page.texts("td.course svg")) == len(NEWEST_HOUR), what="a course in every row")
    minutes = [row for row in ranked(POSTS, "minute", INTERVAL, 100) if row[5] == NEWEST_HOUR[0][5]]
    most = max(row[8] for row in minutes if row[1] >= datetime(2026, 5, 1, 11, tzinfo=UTC))
    assert page.find("td.course svg").accessible_name.endswith(f": {most} posts")


def test_what_strangers_wrote_stays_text(page: Page) -> None:
    assert HOSTILE in page.texts("tbody .name")
    assert page.browser.title == "Leaderboard"
    assert page.browser.find_elements("css selector", "td img, th img") == []


def test_a_slash_leads_to_the_search_and_typing_narrows(page: Page) -> None:
    page.press("/")
    page.press("@SIM_1")
    handles = page.texts("tbody .handle")
    expected = [f"@{row[6]}" for row in NEWEST_HOUR if (row[6] or "").startswith("sim_1")]
    assert handles == expected
    assert f"{len(expected)} of {len(NEWEST_HOUR)} ranked authors" in page.status
    page.press(" nobody at all")
    assert page.texts("#message h2") == ["No authors found"]


def test_the_keyboard_alone_reaches_another_granularity_and_window(page: Page) -> None:
    from selenium.webdriver.common.keys import Keys

    page.find("body").click()
    page.press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.TAB, Keys.TAB)
    assert page.browser.switch_to.active_element.get_attribute("value") == "hour"
    page.press(Keys.ARROW_RIGHT)
    assert page.status.startswith("1 May 2026: ")
    page.press(Keys.TAB, Keys.ENTER)
    assert page.status.startswith("30 Apr 2026: ")
    assert not page.find("#later").get_attribute("disabled")


def test_a_view_can_be_shared_by_its_address(page: Page) -> None:
    page.choose("#day", "30 Apr 2026")
    page.choose("#time", "09:00")
    page.choose("#network", "bluesky")
    shown, address = page.texts("tbody .name"), page.browser.current_url
    assert shown
    page.open()
    assert page.texts("tbody .name") != shown
    page.browser.get(address)
    page.settle()
    assert page.texts("tbody .name") == shown
    assert page.status.startswith("30 Apr 2026, 09:00 to 10:00 UTC: ")


def test_a_network_shows_its_authors_with_their_ranks_among_all(page: Page) -> None:
    page.choose("#network", "mastodon:social.example")
    expected = [str(row[3]) for row in NEWEST_HOUR if row[4] == "mastodon:social.example"]
    assert page.texts("tbody td.rank") == expected


def test_a_screen_reader_finds_a_named_table_with_heads_for_rows_and_columns(page: Page) -> None:
    assert page.find("table").accessible_name == "Authors by posts, 1 May 2026, 11:00 to 12:00 UTC"
    roles = {page.find(selector).aria_role for selector in ("tbody th", "#status", "#search")}
    assert roles == {"rowheader", "status", "searchbox"}
    nameless = [
        one.get_attribute("outerHTML")
        for one in page.browser.find_elements("css selector", "button, select, input, a, svg")
        if one.is_displayed() and not one.accessible_name
    ]
    assert nameless == []


@pytest.mark.parametrize(("per", "name"), [("all", "all"), ("minute", "minute")])
def test_dark_is_dark(page: Page, per: str, name: str) -> None:
    prefer(page.browser, "dark")
    page.open(f"?per={per}")
    colour = page.find("body").value_of_css_property("background-color")
    assert sum(int(part) for part in colour.strip("rgba()").split(",")[:3]) < 120
    keep_picture(page.browser, f"leaderboard-dark-{name}")


def test_inside_airflow_it_follows_the_theme_and_its_links_leave_the_frame(page: Page) -> None:
    page.browser.get(f"{page.url}/")
    wait_for(lambda: page.browser.find_elements("css selector", "a[href*='plugin/leaderboard']"), what="the menu")
    page.find("a[href*='plugin/leaderboard']").click()
    frame = wait_for(lambda: page.browser.find_elements("css selector", "iframe"), what="the frame")[0]
    page.browser.execute_script("document.documentElement.className = 'dark'")
    page.browser.switch_to.frame(frame)
    page.settle()
    wait_for(lambda: page.find("html").get_attribute("data-theme") == "dark", what="the dark theme")
    page.browser.switch_to.default_content()
    keep_picture(page.browser, "leaderboard-in-airflow")
    page.browser.switch_to.frame(frame)
    page.find("#about a").click()
    page.browser.switch_to.default_content()
    wait_for(lambda: "/dags/rank_authors/runs/manual__one" in page.browser.current_url, what="the run's page")


def test_ten_thousand_authors_are_shown_and_searched_without_waiting(page: Page, s3: Any) -> None:
    first = datetime(2026, 5, 2, 8, tzinfo=UTC)
    posts = [
        Written(Author(str(number), "x", f"sim_{number}", f"Simulated {number}"), first + timedelta(seconds=at))
        for number in range(10_000)
        for at in range(0, 3600, 3600 // (1 + 4_000 // (number + 100)))
    ]
    export(s3, BUCKET, posts, "manual__many", top=10_000, granularities=("minute", "hour"))
    page.open("?per=hour")
    assert "10,000 ranked authors, showing 1 to 100" in page.status
    page.find("[data-go=last]").click()
    page.settle()
    assert page.texts("tbody td.rank")[-1] == "10,000"
    shown, typed = (page.browser.execute_script(script) for script in (_SECONDS_TO_SHOW, _SECONDS_TO_SEARCH))
    keep_picture(page.browser, "leaderboard-ten-thousand")
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


def test_a_newer_ranking_is_offered_and_not_forced_upon_the_reader(page: Page, s3: Any) -> None:
    before = page.texts("tbody .name")
    export(s3, BUCKET, POSTS[:1], "manual__newer")
    page.browser.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for(lambda: page.find("#newer").is_displayed(), what="the offer")
    assert page.texts("tbody .name") == before
    page.find("#newer button").click()
    page.settle()
    wait_for(lambda: len(page.texts("tbody .name")) == 1, what="the newer ranking")
    assert not page.find("#newer").is_displayed()


def test_before_the_first_export_it_says_what_to_wait_for(chromium: Any, url: str, s3: Any) -> None:
    page = Page(chromium, url)
    page.open()
    assert page.texts("#message h2") == ["Nothing is ranked yet"]
    keep_picture(chromium, "leaderboard-empty")
    export(s3, BUCKET, POSTS)
    page.find("#message button").click()
    wait_for(lambda: page.texts("tbody td.rank"), what="the ranking after another try")


def test_what_takes_long_says_that_it_is_on_its_way(chromium: Any, url: str, s3: Any) -> None:
    export(s3, BUCKET, POSTS)
    page = Page(chromium, url)
    slow = {"offline": False, "latency": 1500, "downloadThroughput": -1, "uploadThroughput": -1}
    chromium.execute_cdp_cmd("Network.enable", {})
    chromium.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        chromium.get(f"{url}/postrank/leaderboard")
        wait_for(lambda: page.status == "Loading the ranking…", what="a word of patience")
    finally:
        chromium.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "latency": 0})
    page.settle()
    assert "ranked authors" in page.status


def test_a_bucket_that_cannot_be_read_is_told_with_the_reason(chromium: Any, url: str, s3: Any) -> None:
    s3.delete_bucket(Bucket=BUCKET)
    page = Page(chromium, url)
    page.open()
    assert page.texts("#message h2") == ["The ranking cannot be shown"]
    assert "NoSuchBucket" in page.find("#message p").text


def test_without_a_session_nothing_is_answered(url: str, s3: Any) -> None:
    export(s3, BUCKET, POSTS)
    for path in (*DATA, "leaderboard", "leaderboard.js", "report?dag_id=rank_authors&run_id=manual__one"):
        answer = httpx.get(f"{url}/postrank/{path}")
        assert answer.status_code == 401, path
        assert "sim_" not in answer.text
    forged = {"Authorization": "Bearer forged"}
    assert httpx.get(f"{url}/postrank/{DATA[0]}", headers=forged).status_code in (401, 403)


def test_a_user_who_may_see_the_runs_is_answered(url: str, s3: Any) -> None:
    export(s3, BUCKET, POSTS)
    headers = {"Authorization": f"Bearer {token(url)}"}
    for path in DATA[:3]:
        assert httpx.get(f"{url}/postrank/{path}", headers=headers).is_success, path


def test_a_person_is_sent_to_log_in_and_then_sees_the_ranking(stranger: Any, url: str, s3: Any) -> None:
    run = export(s3, BUCKET, POSTS)
    stranger.get(f"{url}/postrank/leaderboard")
    fill_in_login(stranger, USER, PASSWORD)
    wait_for(lambda: stranger.find_elements("css selector", "tbody td.rank"), timeout=20, what="the ranking")
    Report(Results(s3, BUCKET), run).store()
    stranger.get(f"{url}/api/v2/version")
    stranger.execute_script(_FRAME_AS_A_RUNS_PAGE_DOES)
    stranger.switch_to.frame(stranger.find_element("css selector", "iframe"))
    wait_for(lambda: stranger.find_elements("css selector", "h2"), what="the report in the frame of a run's page")
    stranger.switch_to.default_content()


_FRAME_AS_A_RUNS_PAGE_DOES = """
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-forms");  // all that Airflow lets a run's page have
    frame.src = "/postrank/report?dag_id=rank_authors&run_id=manual__one";
    document.body.replaceChildren(frame);
"""


@pytest.mark.parametrize(
    "path",
    [
        "api/runs/..%2f..%2fquery-results",
        "api/runs/latest/windows?granularity=week",
        "api/runs/latest/ranking?granularity=hour&window=yesterday",
        "api/runs/latest/courses?granularity=hour&window=2026-05-01T11:00:00Z&ranks=1;2",
        "..%2fplugins",
    ],
)
def test_what_is_asked_wrongly_is_refused(path: str, url: str, s3: Any) -> None:
    export(s3, BUCKET, POSTS)
    headers = {"Authorization": f"Bearer {token(url)}"}
    assert httpx.get(f"{url}/postrank/{path}", headers=headers).status_code in (404, 422)


def test_a_run_shows_its_report(page: Page, url: str, s3: Any) -> None:
    browser = page.browser
    run = export(s3, BUCKET, POSTS)
    Report(Results(s3, BUCKET), run).store()
    browser.get(f"{url}/postrank/report?dag_id=rank_authors&run_id=manual__one")
    headings = [one.text for one in browser.find_elements("css selector", "h2")]
    assert headings[:3] == ["Top authors", "Posts per minute", "When the top authors posted"]
    browser.set_window_size(1280, 2600)
    keep_picture(browser, "report")
    browser.set_window_size(1280, 1000)
    browser.get(f"{url}/postrank/report?dag_id=check_delivery&run_id=manual__one")
    assert browser.find_element("css selector", "h1").text == "No report"


def test_the_pictures_of_the_docs_show_no_error(page: Page, s3: Any) -> None:
    run = export(s3, BUCKET, plain_posts())
    Report(Results(s3, BUCKET), run).store()
    page.browser.set_window_size(1280, 820)
    page.open("?per=hour")
    wait_for(lambda: len(page.texts("td.course svg")) == len(page.texts("tbody td.rank")), what="a course in every row")
    keep_documentation_picture(page.browser, "leaderboard")
    prefer(page.browser, "dark")
    page.open("?per=hour")
    keep_documentation_picture(page.browser, "leaderboard-dark")
    prefer(page.browser, "light")
    page.browser.get(f"{page.url}/postrank/report?dag_id=rank_authors&run_id=manual__one")
    wait_for(lambda: page.texts("h2"), what="the report")
    keep_documentation_picture(page.browser, "report")
    page.browser.set_window_size(1280, 1000)
    assert complaints(page.browser) == []
