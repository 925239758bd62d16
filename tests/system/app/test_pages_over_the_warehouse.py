"""The app in a real browser, on a warehouse that exports, trends, labels and live windows were loaded into."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from localaws.testing.databases import PASSWORD, create
from localaws.testing.server import running_localaws
from localaws.testing.waiting import wait_for
from postrank.posts.times import to_text
from postrank.ranking.export_reader import Results
from postrank.warehouse.connection import Login, Server, connect, fixed
from postrank.warehouse.live.board import board
from postrank.warehouse.live.store import rows_of, store
from postrank.warehouse.loader import Loader
from postrank.warehouse.objects import Objects
from postrank.warehouse.schema import migrate
from tests.support.lake.exports import HOSTILE, export, sample_posts
from tests.support.lake.warehouse import statement
from tests.support.stack.app_server import app_server, warehouse_environment
from tests.support.stack.browser import Page, browser, complaints, keep_documentation_picture, prefer
from tests.support.stack.page_server import page_server

BUCKET = "postrank-app-results"
LOGIN = Login(user="keeper", password=PASSWORD)
POSTS = sample_posts()
HOUR = datetime(2026, 5, 1, 11, tzinfo=UTC)
PATHS = ("", "leaderboard", "author?network=x&id=1001", "trends", "moods", "words", "lake")
EMPTY = {
    "": "No author window has arrived yet.",
    "leaderboard": "No ranking is loaded yet.",
    "author": "No author is chosen.",
    "trends": "No hashtag trends are loaded yet.",
    "moods": "No post is labelled.",
    "words": "No words are counted.",
    "lake": "Nothing is loaded yet.",
}
LATE = HOUR + timedelta(hours=1)  # of a window that ended after its export, and may lack posts
_INCOMPLETE = "insert into ranked_windows values ('*', 'posts', 'hour', %s, %s, 1, 1, %s, 'key')"
HASHTAGS = [("comet", 120, 80, 4.0), ("rain", 60, 41, 20.0), ("final", 44, 40, 22.0)]


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with running_localaws(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="module")
def server(aws):
    endpoint = create(aws, "app", DBName="postrank")["Endpoint"]
    return Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")


@pytest.fixture(scope="module")
def warehouse(aws, server):
    """A connection to the warehouse, which holds a ranking, trends, live windows and labels."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    with connect(server, fixed(LOGIN)) as connection:
        migrate(connection)
        run = export(s3, BUCKET, POSTS)
        keys = [f"rankings/run={run}/manifest.json", *_trends(s3)]
        Loader(connect=lambda: connect(server, fixed(LOGIN)), statement=statement, objects=Objects(s3, BUCKET)).load(
            keys
        )
        store(connection, _windows())
        _label(connection)
        _count_words(connection)
        _note_gaps(connection)
        connection.execute(_INCOMPLETE, (LATE, LATE + timedelta(hours=1), LATE))
        yield connection


def _trends(s3):
    """Objects with the trends of three hours."""
    for back in range(3):
        hour = HOUR - timedelta(hours=back)
        rows = [
            {
                "rank": rank,
                "hashtag": hashtag,
                "posts": posts - 10 * back,
                "authors": authors,
                "week_posts": round(usual * 168),
                "usual_posts": usual,
                "burst": round(posts / usual, 2),
            }
            for rank, (hashtag, posts, authors, usual) in enumerate(HASHTAGS, 1)
        ]
        about = {"window_start": to_text(hour)}
        place = {"woeid": 44418, "place": "London", "heard_at": to_text(hour)}
        trends = [{"rank": 1, "name": "#comet", "posts": 9000 - back}, {"rank": 2, "name": "Rain", "posts": None}]
        for name, document in (("hashtags", {"hashtags": rows}), ("place=44418", {**place, "trends": trends})):
            key = f"trends/hour={hour:%Y-%m-%dT%H}/{name}.json"
            s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({**about, **document}))
            yield key


def _windows(*more):
    now = datetime.now(UTC).replace(microsecond=0)
    minute = now.replace(second=0)
    sliding = [("x", "1001", "ann", 12, now), ("x", "1002", "bob", 7, now), ("bluesky", "did:plc:cat", "cat", 9, now)]
    rows = [_window("sliding", *row) for row in (*sliding, *more)]
    rows += [_window("tumbling", "x", "1001", "ann", 20 + n, minute - timedelta(minutes=n)) for n in range(1, 30)]
    windows, broken = rows_of(b"\n".join(rows))
    assert not broken
    return windows


def _window(kind, network, author_id, handle, posts, end):
    row = {
        "network": network,
        "author_id": author_id,
        "author_handle": handle,
        "window_start": to_text(end - timedelta(seconds=60)),
        "window_end": to_text(end),
        "kind": kind,
        "posts": posts,
        "final": kind == "tumbling",
        "collector": "c1",
        "emitted_at": to_text(end),
    }
    return json.dumps(row).encode()


def _label(connection):
    insert = """
        insert into labels (network, post_id, model, model_version, label, score, posted_at, author_id, hashtags)
        values ('x', %s, 'vader', '1', %s, 0.9, %s, %s, %s)
    """
    for n in range(90):
        label = ("positive", "neutral", "negative")[n % 3 if n % 5 else 0]
        at = HOUR - timedelta(minutes=7 * n)
        connection.execute(insert, (str(n), label, at, str(1000 + n % 5), ["comet"] if n % 2 else []))


def _count_words(connection):
    words = [("en", "comet", 40), ("en", "<b>bold", 12), ("en", "night", 5), ("ja", "彗星", 9)]
    for day in range(3):
        for language, word, posts in words:
            insert = "insert into words (posted_date, language, word, posts) values (%s, %s, %s, %s)"
            connection.execute(insert, ((HOUR - timedelta(days=day)).date(), language, word, posts - day))


def _note_gaps(connection):
    gap = """
        insert into gaps (source, gap_from, gap_to, collector, reason, recovered_by, noted_at)
        values (%s, %s, %s, %s, %s, %s, %s)
    """
    for source, minutes, recovered_by in (("bluesky", 4, None), ("x", 9, "x-search")):
        span = (HOUR, HOUR + timedelta(minutes=minutes))
        connection.execute(gap, (source, *span, "main", "the connection was lost", recovered_by, HOUR))
    hop = "insert into hops values ('main', 'kinesis', 100, 97, 1, 0, 2, 0, %s)"
    connection.execute(hop, (HOUR,))


@pytest.fixture(scope="module")
def address(warehouse, server, tmp_path_factory):
    with app_server(warehouse_environment(server, LOGIN), tmp_path_factory.mktemp("log") / "app.log") as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


class AppPage(Page):
    """What a person does with a page of the app, and sees of it."""

    def settle(self):
        """Wait until Streamlit has run the page's script to its end."""
        wait_for(lambda: self.browser.execute_script(_SETTLED), timeout=60, what="the page")

    @property
    def text(self):
        return "\n".join(self.texts("[data-testid=stMain]"))

    def cells(self, column, table=0):
        """The texts of a column (from 1) of one of the page's tables (from 0), as its accessibility tree has them."""
        script = """
            const frame = document.querySelectorAll('[data-testid=stDataFrame]')[arguments[1]];
            const cells = frame?.querySelectorAll(`[role=gridcell][aria-colindex='${arguments[0]}']`) ?? [];
            return [...cells].map((cell) => cell.textContent);
        """
        return self.browser.execute_script(script, column, table)

    def violations(self):
        """What axe-core objects to, once the page has come to rest."""
        self.settle()
        return super().violations()

    def choose(self, label, option):
        """Choose an option of a select box."""
        box = self.find(f"input[role=combobox][aria-label*={json.dumps(label)}]")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(option)
        matching = f"//*[@role='option'][normalize-space()={json.dumps(option)}]"
        wait_for(lambda: self.browser.find_elements(By.XPATH, matching), timeout=30, what=option)[0].click()
        self.settle()

    def type(self, label, text):
        box = self.find(f"input[aria-label={json.dumps(label)}]")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(text, Keys.ENTER)
        self.settle()

    def reload_until(self, text):
        """Reload the page; whether it has the text then."""
        self.browser.refresh()
        self.settle()
        return text in self.text

    def wait_for_text(self, text):
        wait_for(lambda: text in self.text, timeout=30, what=f"{text!r} on the page")


_SETTLED = """
    const app = document.querySelector('[data-testid=stApp]');
    return !!app && app.getAttribute('data-test-script-state') === 'notRunning'
        && !!document.querySelector('h1') && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
"""


@pytest.fixture
def page(chromium, address):
    prefer(chromium, "light")
    opened = AppPage(chromium, address)
    opened.resize(1280)
    complaints(chromium)
    yield opened
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_now_shows_who_wrote_most_and_refreshes_by_itself(page, warehouse):
    store(warehouse, _windows())
    page.open("")
    wait_for(lambda: page.cells(2)[:3] == ["ann", "cat", "bob"], timeout=60, what="the board")
    assert "The newest window was emitted" in page.text
    keep_documentation_picture(page.browser, "app-now")
    store(warehouse, _windows(("x", "1003", "dora", 30, datetime.now(UTC).replace(microsecond=0))))
    wait_for(lambda: page.cells(2)[:1] == ["dora"], timeout=60, what="the newer board")


def test_the_leaderboard_shows_the_newest_window_as_it_was_exported(page, warehouse):
    page.open("leaderboard")
    assert page.texts("h2")[0] == "Authors by posts, all networks, 2026-05-01 11:00 to 12:00 UTC"
    query = """
        select coalesce(author_name, author_handle, author_id) from rankings
        where granularity = 'hour' and window_start = %s order by rank limit 10
    """
    expected = [name for (name,) in warehouse.execute(query, (HOUR,)).fetchall()]
    wait_for(lambda: page.cells(3)[:10] == expected, timeout=60, what="the ranked authors")
    keep_documentation_picture(page.browser, "app-leaderboard")


def test_the_address_holds_every_choice(page, chromium):
    page.open("leaderboard")
    page.choose("Per", "day")
    page.wait_for_text("2026-05-01 00:00 to 2026-05-02 00:00")
    page.type("Search", "simulated 1")
    # The first rows: a table's accessibility tree has as many as are in view.
    matching = ["Simulated 1"] * 2
    wait_for(lambda: [name[:11] for name in page.cells(3)[:2]] == matching, timeout=30, what="those that match")
    wait_for(lambda: "search=simulated" in chromium.current_url, timeout=30, what="the search in the address")
    assert "granularity=day" in chromium.current_url
    shown = page.cells(3)[:2]
    chromium.refresh()
    page.settle()
    wait_for(lambda: page.cells(3)[:2] == shown, timeout=60, what="the same authors from the address")


def test_a_page_of_the_ranking_has_an_address(page):
    page.open("leaderboard?page=2")
    page.wait_for_text("page 2 of 2")
    wait_for(lambda: page.cells(1)[:1] == ["51"], timeout=60, what="the second page")


def test_the_newest_complete_window_is_shown_first(page):
    """A window that ended after its export may lack posts: it is shown when it is asked for."""
    page.open("leaderboard?window=" + quote("2026-05-01 12:00 to 13:00, incomplete"))
    page.wait_for_text("12:00 to 13:00, incomplete UTC")
    page.open("leaderboard")
    page.wait_for_text("Authors by posts, all networks, 2026-05-01 11:00 to 12:00 UTC")


def test_what_people_call_themselves_is_text(page, chromium):
    page.open("author?network=x&id=1001")
    page.wait_for_text(HOSTILE)
    assert chromium.title == "Author, Postrank"
    assert page.browser.find_elements(By.CSS_SELECTOR, "[data-testid=stMain] img") == []


def test_an_author_is_found_by_handle_and_has_a_course(page):
    page.open("author?search=sim_10")
    wait_for(lambda: "Simulated 10" in page.cells(1), timeout=60, what="the match")
    page.open("author?network=x&id=1000")
    page.wait_for_text("Best rank")
    wait_for(lambda: len(page.cells(3)) > 5, timeout=60, what="the course")
    keep_documentation_picture(page.browser, "app-author")


def test_trends_have_history(page):
    page.open("trends")
    wait_for(lambda: page.cells(2) == [row[0] for row in HASHTAGS], timeout=60, what="the hashtags")
    keep_documentation_picture(page.browser, "app-trends")
    page.choose("Hour", "2026-05-01 09:00")
    wait_for(lambda: page.cells(3)[:1] == ["100"], timeout=60, what="the posts of an earlier hour")


def test_moods_say_what_a_label_is(page):
    page.open("moods")
    page.wait_for_text("A label is a model's guess about a text, not a fact about a person.")
    page.wait_for_text("90 posts")
    keep_documentation_picture(page.browser, "app-moods")


def test_words_are_shown_as_text_with_history(page):
    page.open("words")
    wait_for(lambda: page.cells(1)[:2] == ["comet", "<b>bold"], timeout=60, what="the words")
    page.wait_for_text("<b>bold")
    keep_documentation_picture(page.browser, "app-words")
    page.choose("Language", "ja")
    wait_for(lambda: page.cells(1)[:1] == ["彗星"], timeout=60, what="the words of another language")


def test_the_lake_accounts_for_each_run(page, warehouse):
    page.open("lake")
    runs = [run for (run,) in warehouse.execute("select run from ranking_runs").fetchall()]
    wait_for(lambda: page.cells(1, 2) == runs, timeout=60, what="the run")
    wait_for(lambda: page.cells(1, 1) == ["bluesky", "x"], timeout=60, what="the gaps, the open one first")
    wait_for(lambda: page.cells(2, 0) == ["kinesis"], timeout=60, what="the hops")
    assert "The warehouse was last loaded" in page.text
    assert "1 spans may lack posts" in page.text
    keep_documentation_picture(page.browser, "app-lake")


# Light and dark in turn: `make test-slow` looks at the other of each.
SCHEMES = dict(zip(PATHS, itertools.cycle(("light", "dark")), strict=False))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_a_phone_has_no_barriers_and_asks_no_other_host(page, chromium, address, path):
    _is_usable(page, chromium, path, SCHEMES[path])
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert [url for url in chromium.execute_script(script) if not url.startswith((address, "data:", "blob:"))] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_as_usable_in_the_other_theme(page, chromium, path):
    _is_usable(page, chromium, path, "dark" if SCHEMES[path] == "light" else "light")


def _is_usable(page, chromium, path, scheme):
    prefer(chromium, scheme)
    page.resize(390, 844)
    page.open(path)
    width = chromium.execute_script("return document.documentElement.scrollWidth")
    assert width <= 390, f"{path} is {width} pixels wide in the {scheme} theme"
    background = chromium.execute_script(
        "return getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == (scheme == "dark"), background
    assert page.violations() == []
    assert [line for line in complaints(chromium) if "_stcore" not in line] == []


def test_the_page_of_airflow_shows_the_same_board(warehouse, server, aws, chromium):
    store(warehouse, _windows())
    reader = Results(aws.client("s3"), BUCKET)
    with connect(server, fixed(LOGIN)) as connection, page_server(reader, lambda name: board(connection, name)) as base:
        now = Page(chromium, base)
        now.open("now")
        names = "td.author .name"
        wait_for(lambda: {"ann", "bob", "cat"} <= {*now.texts(names)}, timeout=60, what="the board")
        assert "The newest window was emitted" in now.status
        now.choose("#network", "bluesky")
        wait_for(lambda: now.texts(names) == ["cat"], timeout=60, what="the board of a network")
        assert now.violations() == []


def test_an_airflow_without_a_warehouse_says_so(aws, chromium):
    with page_server(Results(aws.client("s3"), BUCKET)) as base:
        now = Page(chromium, base)
        now.open("now")
        assert now.texts("#message h2") == ["There is no warehouse"]


def test_pages_are_reached_with_the_keyboard(page, chromium):
    page.open("lake")
    link = page.find("[data-testid=stSidebarNavLink][href$=trends]")
    chromium.execute_script("arguments[0].focus()", link)
    link.send_keys(Keys.ENTER)
    wait_for(lambda: page.texts("h1") == ["Trends"], timeout=30, what="the page of trends")


def test_an_empty_warehouse_is_explained(page, aws, tmp_path, chromium):
    endpoint = create(aws, "empty", DBName="postrank")["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    with app_server(warehouse_environment(server, LOGIN), tmp_path / "log") as address:
        empty = AppPage(chromium, address)
        empty.open("leaderboard")
        empty.wait_for_text("The warehouse's schema is at nothing, not")
        with connect(server, fixed(LOGIN)) as connection:
            migrate(connection)
        for path in ("leaderboard", "lake", ""):
            empty.open(path)
            empty.wait_for_text(EMPTY[path])


@pytest.mark.slow
def test_every_page_explains_that_it_is_empty(page, aws, tmp_path, chromium):
    endpoint = create(aws, "blank", DBName="postrank")["Endpoint"]
    server = Server(host=endpoint["Address"], port=endpoint["Port"], database="postrank")
    with connect(server, fixed(LOGIN)) as connection:
        migrate(connection)
    with app_server(warehouse_environment(server, LOGIN), tmp_path / "log") as address:
        empty = AppPage(chromium, address)
        for path, explanation in EMPTY.items():
            empty.open(path)
            empty.wait_for_text(explanation)


def test_a_warehouse_that_is_away_is_explained_without_its_password(page, tmp_path, chromium):
    gone = Server(host="127.0.0.1", port=9, database="postrank")
    log = tmp_path / "log"
    with app_server(warehouse_environment(gone, LOGIN), log) as address:
        away = AppPage(chromium, address)
        away.open("leaderboard")
        away.wait_for_text("The warehouse does not answer.")
        assert PASSWORD not in chromium.page_source
    assert PASSWORD not in log.read_text()


@pytest.mark.slow
def test_a_warehouse_that_is_not_configured_is_explained(tmp_path, chromium):
    with app_server({}, tmp_path / "log") as address:
        unknown = AppPage(chromium, address)
        unknown.open("lake")
        unknown.wait_for_text("POSTRANK_WAREHOUSE_HOST is not set")
