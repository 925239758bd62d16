"""The pages in Airflow: its session decides who may read them, its UI frames them. test_pages.py has the rest."""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from localaws.testing.waiting import wait_for
from postrank.ranking.export_reader import Results
from postrank.report.store import Report
from tests.support.lake.exports import export, plain_posts
from tests.support.stack.airflow_server import PASSWORD, USER, api_server, token
from tests.support.stack.browser import Page, browser, fill_in_login, keep_picture, log_in

BUCKET = "postrank-local-results-123456789012"
POSTS = plain_posts(posts=2_000)
DATA = (
    "api/v1/runs",
    "api/v1/runs/latest",
    "api/v1/runs/latest/manifest",
    "api/v1/runs/latest/windows?granularity=hour",
    "api/v1/runs/latest/ranking.csv?granularity=hour",
    "api/v1/openapi.json",
)
PAGES = ("leaderboard", "runs", "compare", "trends", "author", "assets/leaderboard.js", "runs/any/report")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def run(endpoint: str) -> str:
    """The exported run of a results bucket, with its report; its name in keys."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    s3.create_bucket(Bucket=BUCKET)
    name = export(s3, BUCKET, POSTS)
    Report(Results(s3, BUCKET), name).store()
    return name


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, endpoint: str, run: str) -> Iterator[str]:
    """An Airflow with a login."""
    with api_server(tmp_path_factory.mktemp("airflow"), endpoint) as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def stranger(chromium: Any) -> Any:
    """A browser without a session."""
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return chromium


def test_inside_airflow_a_page_follows_theme_and_time_zone_and_its_links_leave_the_frame(
    stranger: Any, url: str
) -> None:
    log_in(stranger, url, USER, PASSWORD)
    page = Page(stranger, url)
    stranger.get(f"{url}/")
    wait_for(lambda: stranger.find_elements("css selector", "a[href*='plugin/leaderboard']"), what="the menu")
    page.find("a[href*='plugin/leaderboard']").click()
    frame = wait_for(lambda: stranger.find_elements("css selector", "iframe"), what="the frame")[0]
    stranger.execute_script("document.documentElement.className = 'dark'")
    stranger.execute_script("localStorage.setItem('timezone', JSON.stringify('Asia/Tokyo'))")
    stranger.switch_to.frame(frame)
    page.settle()
    wait_for(lambda: page.find("html").get_attribute("data-theme") == "dark", what="the dark theme")
    wait_for(lambda: "1 May 2026, 20:00 to 21:00 Asia/Tokyo" in page.find("#heading").text, what="the time zone")
    stranger.switch_to.default_content()
    keep_picture(stranger, "leaderboard-in-airflow")
    stranger.switch_to.frame(frame)
    page.find("#about a").click()
    stranger.switch_to.default_content()
    wait_for(lambda: "/dags/rank_authors/runs/manual__one" in stranger.current_url, what="the run's page")


def test_without_a_session_nothing_is_answered(url: str) -> None:
    for path in (*DATA, *PAGES, "report?dag_id=rank_authors&run_id=manual__one"):
        answer = httpx.get(f"{url}/postrank/{path}")
        assert answer.status_code == 401, path
        assert "sim_" not in answer.text
    forged = {"Authorization": "Bearer forged"}
    assert httpx.get(f"{url}/postrank/{DATA[0]}", headers=forged).status_code in (401, 403)


def test_a_user_who_may_see_the_runs_is_answered(url: str) -> None:
    headers = {"Authorization": f"Bearer {token(url)}"}
    for path in DATA:
        assert httpx.get(f"{url}/postrank/{path}", headers=headers).is_success, path


def test_a_person_is_sent_to_log_in_and_then_sees_the_ranking(stranger: Any, url: str) -> None:
    stranger.get(f"{url}/postrank/leaderboard")
    fill_in_login(stranger, USER, PASSWORD)
    wait_for(lambda: stranger.find_elements("css selector", "tbody td.rank"), timeout=20, what="the ranking")
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
