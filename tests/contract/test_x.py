"""The X source against a real HTTP server that speaks the filtered stream."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.cli import postrank
from postrank.options import Secret, WrongSettings
from postrank.posts import Post, Tombstone
from postrank.posts.times import to_text
from postrank.sources import Gap
from postrank.sources.net.backoff import Backoff
from postrank.sources.net.shared_document import KeptDamaged
from postrank.sources.x import XStream, rules
from postrank.sources.x.api import Api, XRefused
from postrank.sources.x.budget import BudgetSpent, Spend
from postrank.sources.x.handle_rules import Following
from postrank.sources.x.search import RecentSearch
from postrank.sources.x.volume_watch import VolumeWatch
from tests.support.fakes.aws import aws_server
from tests.support.fakes.http_server import Memory
from tests.support.fakes.x import OPERATIONAL, TOKEN, TOO_MANY, FakeX, fake_x, post
from tests.support.streaming.source_reader import built, reading
from tests.support.streaming.streamers import StreamerProcess, heartbeat, ledger

RULES = [{"value": "cats has:images", "tag": "cats"}]
STREAM = "/2/tweets/search/stream"
BUDGETS = {"daily_budget": 9.0, "monthly_budget": 9.0}


@pytest.fixture
def server() -> Iterator[FakeX]:
    with fake_x() as fake:
        yield fake


def source(tmp_path: Path, server: FakeX, **more: Any) -> XStream:
    table = {"daily_budget": 100.0, "monthly_budget": 1000.0, "rules": RULES, **more}
    found = built("x", tmp_path / "state", bearer_token=TOKEN, host=server.url, **table)
    assert isinstance(found, XStream)
    for way in (found.ways.http, found.ways.limited):  # the same rules, in less time
        way.first, way.longest = 0.1, 0.2
    return found


def test_posts_edits_and_deletes_are_read_with_their_authors_names(server: FakeX, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(post(10))
        server.publish(post(12, edit_history_tweet_ids=["10", "12"], referenced_tweets=[{"type": "quoted", "id": "3"}]))
        server.publish({"data": {"delete": {"tweet": {"id": "10", "author_id": "7"}}}})
        read.until(lambda: len(read.events) == 3, "three events")
    first, edit, delete = read.events
    assert isinstance(first, Post)
    assert (first.author_handle, first.author_name) == ("user7", "User 7")
    assert isinstance(edit, Post)
    assert (edit.kind, edit.post_id, edit.quote_of) == ("edit", "10", "3")
    assert delete == Tombstone(network="x", post_id="10", author_id="7")
    assert server.stream_query["expansions"] == ["author_id,attachments.media_keys"]


def test_rules_are_tried_first_and_then_made_to_be_the_configured_ones(server: FakeX, tmp_path: Path) -> None:
    server.rules = [{"id": "old", "value": "dogs"}, {"id": "kept", "value": "birds"}]
    wanted = [*RULES, {"value": "birds"}]
    with reading(source(tmp_path, server, rules=wanted)) as read:
        read.until(lambda: server.feed.connected, "the connection")
    assert [(rule["value"], rule.get("tag")) for rule in server.rules] == [("birds", None), ("cats has:images", "cats")]
    assert [dry for dry, _ in server.rule_changes] == [True, False, False]


def test_a_rule_that_x_refuses_stops_everything_before_a_change(server: FakeX, tmp_path: Path) -> None:
    server.rules = [{"id": "old", "value": "dogs"}]
    with reading(source(tmp_path, server, rules=[{"value": "cats lang:xx"}])) as read:
        error = read.until_failed()
    assert isinstance(error, rules.RulesRefused)
    assert "no such language" in str(error)
    assert server.rules == [{"id": "old", "value": "dogs"}]


@pytest.mark.parametrize("page", [b"<html>Log in to the network</html>", b"[1]", b'"text"'])
def test_a_page_that_somebody_else_answers_with_is_waited_out(server: FakeX, tmp_path: Path, page: bytes) -> None:
    server.page = page
    one = source(tmp_path, server)
    with reading(one) as read:
        read.until(lambda: one.reconnects, "the page to be noticed")
        server.page = b""
        read.until(lambda: server.feed.connected, "the connection")


def test_a_dry_run_of_the_rules_says_what_would_change(server: FakeX) -> None:
    server.rules = [{"id": "old", "value": "dogs"}]
    todo = rules.sync(Api(Secret(TOKEN), server.url), [rules.Rule("cats")], dry_run=True)
    assert todo == rules.Plan(add=[rules.Rule("cats")], delete=["old"], keep=0)
    assert server.rules == [{"id": "old", "value": "dogs"}]


def test_the_command_rules_shows_the_change_and_makes_it_when_asked(server: FakeX, tmp_path: Path) -> None:
    server.rules = [{"id": "old", "value": "dogs"}]
    budgets = "daily_budget = 9.0\nmonthly_budget = 9.0"
    path = tmp_path / "streamer.toml"
    path.write_text(
        f'state = "{tmp_path}"\n[source]\nkind = "x"\nbearer_token = "env:X_TOKEN"\nhost = "{server.url}"\n{budgets}\n'
        '[[source.rules]]\nvalue = "cats"\ntag = "c"\n',
        encoding="utf-8",
    )
    told = {"POSTRANK_ACCOUNT": "123456789012", "X_TOKEN": TOKEN}
    tried = CliRunner().invoke(postrank, ["rules", "--config", str(path)], env=told)
    counts = "0 unchanged, 1 added, 1 deleted: nothing changed"
    assert tried.output.splitlines() == ["+ cats  [c]", "- rule old", counts]
    assert server.rules == [{"id": "old", "value": "dogs"}]
    assert CliRunner().invoke(postrank, ["rules", "--config", str(path), "--apply"], env=told).exit_code == 0
    assert [rule["value"] for rule in server.rules] == ["cats"]


def test_a_file_of_handles_makes_rules_that_change_with_it_under_the_open_stream(server: FakeX, tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("@Ann\nbob # a friend\n", encoding="utf-8")
    with reading(source(tmp_path, server, follow_file=str(handles))) as read:
        read.until(lambda: server.feed.connected, "the connection")
        assert [rule["value"] for rule in server.rules] == ["cats has:images", "from:ann OR from:bob"]
        handles.write_text("bob\ncy\n", encoding="utf-8")
        read.until(lambda: "from:bob OR from:cy" in [rule["value"] for rule in server.rules], "the new rule")
        read.until(lambda: len(server.rules) == 2, "the old rule to go")
        handles.write_text("", encoding="utf-8")
        server.publish(post(1))
        read.until_ids("1")
    assert server.feed.opened == 1
    assert [rule["value"] for rule in server.rules] == ["cats has:images", "from:bob OR from:cy"]


def test_thousands_of_handles_fit_into_few_rules_and_what_is_none_is_told(tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("".join(f"somebody_{number}\n" for number in range(5000)), encoding="utf-8")
    made = Following(handles).rules()
    assert sum(rule.value.count("from:") for rule in made) == 5000
    assert all(not rules.problems_of(rule) for rule in made)
    assert len(made) < 110
    handles.write_text("ann\nnot a handle\n", encoding="utf-8")
    with pytest.raises(WrongSettings, match="no handles of X: not a handle"):
        built("x", tmp_path, follow_file=str(handles), bearer_token="t", daily_budget=9.0, monthly_budget=9.0)


def test_places_are_followed_by_rules(tmp_path: Path) -> None:
    places = ["bounding_box:[-105.30 39.96 -105.18 40.09]", 'place:"new york city" -is:retweet']
    found = built(
        "x",
        tmp_path,
        rules=[{"value": one} for one in places],
        bearer_token="t",
        daily_budget=9.0,
        monthly_budget=9.0,
    )
    assert isinstance(found, XStream)
    assert [rule.value for rule in found.rules or []] == places


def test_the_sample_has_no_rules(server: FakeX, tmp_path: Path) -> None:
    server.rules = [{"id": "kept", "value": "birds"}]
    with reading(source(tmp_path, server, stream="sample", rules=[])) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(post(1))
        read.until_ids("1")
    assert server.count("GET", "/2/tweets/sample/stream") == 1
    assert server.rule_changes == []


def test_wrong_options_and_rules_are_named_together(tmp_path: Path) -> None:
    wrong_rules = [{"value": "a" * 1025}, {"value": '"open'}, {"value": "(a"}, {"value": "a"}, {"value": "a"}]
    with pytest.raises(WrongSettings) as wrong:
        built("x", tmp_path, rules=wrong_rules, monthly_budget=1.0)
    text = str(wrong.value)
    for part in ("1025 characters", "quotation mark", "parenthesis", "twice", "bearer_token", "daily_budget"):
        assert part in text


def test_more_handles_than_x_has_rules_for_are_refused_before_it_is_asked(tmp_path: Path) -> None:
    handles = tmp_path / "handles.txt"
    handles.write_text("".join(f"handle_{number:08d}\n" for number in range(50_000)), encoding="utf-8")
    with pytest.raises(WrongSettings, match=r"follow_file makes \d{4} rules with those configured; X takes 1000"):
        built("x", tmp_path, follow_file=str(handles), bearer_token="t", daily_budget=9.0, monthly_budget=9.0)


def test_a_netrc_that_knows_the_host_replaces_no_token(
    server: FakeX, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Api(Secret(TOKEN), server.url).rules() == []


def test_in_band_disconnects_reconnect_and_other_errors_do_not(server: FakeX, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish({"errors": [{"title": "Not Found Error", "detail": "a user is gone", "type": "about:blank"}]})
        server.publish({"surprise": 1})
        server.publish(post(1))
        read.until_ids("1")
        assert server.count("GET", STREAM) == 1
        server.publish({"errors": [OPERATIONAL]})
        read.until(lambda: server.feed.opened == 2, "the next connection")
        server.publish(post(2))
        read.until_ids("2")
    assert read.ignored("errors") == 2
    assert read.ignored("unknown") == 1
    assert [gap.reason for gap in read.gaps] == ["UpstreamOperationalDisconnect"]


def test_zombie_connections_are_ended_through_the_connections_api(server: FakeX, tmp_path: Path) -> None:
    server.zombies = 1
    one = source(tmp_path, server)
    with reading(one) as read:
        read.until(lambda: server.feed.connected, "the connection")
    assert server.count("DELETE", "/2/connections/all") == 1
    assert one.gauges()["x_zombies_ended"] == 1


def test_too_many_connections_said_in_band_end_zombies_too(server: FakeX, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.zombies = 2
        server.publish({"errors": [TOO_MANY]})
        read.until(lambda: server.count("DELETE", "/2/connections/all") == 1, "the end of the zombies")


def test_troubles_of_the_server_are_waited_out(server: FakeX, tmp_path: Path) -> None:
    server.refuse = [(503, None, {}), (429, {"title": "Too Many Requests"}, {})]
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
    assert server.count("GET", STREAM) == 3


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, {"detail": "no access"}), (409, {"detail": "no rules"}), (429, {"title": "UsageCapExceeded"})],
)
def test_what_waiting_cannot_mend_is_fatal(server: FakeX, tmp_path: Path, status: int, body: dict[str, str]) -> None:
    server.refuse = [(status, body, {})]
    with reading(source(tmp_path, server)) as read:
        error = read.until_failed()
    assert isinstance(error, XRefused)
    assert next(iter(body.values())) in str(error)


def test_a_reset_header_is_honoured(server: FakeX, tmp_path: Path) -> None:
    reset = str(int((datetime.now(UTC) + timedelta(seconds=300)).timestamp()))
    server.refuse = [(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": reset})]
    one = source(tmp_path, server)
    with reading(one) as read:
        read.until(lambda: one.reconnects == 1 and len(read.batches) > 3, "the wait")
        assert server.count("GET", STREAM) == 1


def test_silence_reconnects_and_the_gap_is_searched(server: FakeX, tmp_path: Path) -> None:
    server.found = [post(number) for number in range(150)]
    one = source(tmp_path, server, stall_seconds=0.5, gap_query="cats")
    one.recovery.settling = timedelta(seconds=1)
    with reading(one) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.feed.silent = True
        read.until(lambda: server.count("GET", STREAM) >= 2, "the next connection")
        server.feed.silent = False
        read.until(lambda: read.gaps, "the gap")
        assert "silent for 0.5 s" in read.gaps[0].reason
        read.until(lambda: any(gap.recovered_by for gap in read.gaps), "the search")
    assert set(read.ids) == {str(number) for number in range(150)}
    assert [query.get("next_token") for query in server.search_queries[:2]] == [None, ["100"]]
    assert one.gauges()["x_posts_day"] >= 150


def test_a_gap_that_a_restart_came_upon_is_searched_all_the_same(server: FakeX, tmp_path: Path) -> None:
    server.memory = Memory()
    options = {"stall_seconds": 5, "gap_query": "cats"}
    one = source(tmp_path, server, **options)
    one.recovery.settling = timedelta(hours=1)
    with reading(one) as read:
        read.until(lambda: server.feed.connected, "the connection")
        server.publish(post(1))
        read.until_ids("1")
        server.feed.disconnect()
        read.until(lambda: one.reconnects, "the loss of the connection to be noticed")
        server.remember(json.dumps(post(2)).encode())  # and nobody was sent it
        read.until(lambda: read.gaps, "the gap")
        server.publish(post(3))
        read.until_ids("3")
    again = source(tmp_path, server, **options)
    again.recovery.settling = timedelta(seconds=0.1)
    with reading(again, after=read.cursor) as second:
        second.until_ids("1", "2", "3")  # 1 was so new that others of its time may have been under way
        second.until(lambda: sum(bool(gap.recovered_by) for gap in second.gaps) == 2, "both gaps to be filled")
        server.publish(post(4))
        second.until_ids("4")
    assert json.loads(second.cursor or "")["gaps"] == []


def row(since: datetime, until: datetime) -> dict[str, str]:
    """What a cursor keeps of a gap whose edges are read."""
    span = {"from": to_text(since), "to": to_text(until), "reason": "r"}
    return {**span, "since": span["from"], "until": span["to"]}


def test_a_search_that_a_restart_cut_short_goes_on_at_its_next_page(server: FakeX, tmp_path: Path) -> None:
    server.found = [post(number) for number in range(250)]
    now = datetime.now(UTC)
    cursor = json.dumps({"at": to_text(now), "gaps": [row(now - timedelta(hours=1), now - timedelta(minutes=30))]})
    with reading(source(tmp_path, server, gap_query="cats", searches=2), after=cursor) as read:
        read.until_ids("199")
        read.until(lambda: json.loads(read.cursor or "")["gaps"][0].get("place") == "200", "the cursor")
    with reading(source(tmp_path, server, gap_query="cats", searches=9), after=read.cursor) as again:
        again.until_ids("249")
    assert len(again.events) == 50, "what was paid for is not paid for again"
    assert [query.get("next_token") for query in server.search_queries] == [None, ["100"], ["200"]]


def test_the_stream_is_read_while_a_search_waits_for_its_limit(server: FakeX, tmp_path: Path) -> None:
    server.found = [post(number) for number in range(250)]
    now = datetime.now(UTC)
    cursor = json.dumps({"at": to_text(now), "gaps": [row(now - timedelta(hours=1), now - timedelta(minutes=30))]})
    with reading(source(tmp_path, server, gap_query="cats", searches=1), after=cursor) as read:
        read.until_ids("99")
        server.publish(post(1000))
        read.until_ids("1000")
    assert len(server.search_queries) == 1


def test_a_search_that_x_limits_waits_for_the_reset_and_gives_nothing_up(server: FakeX, tmp_path: Path) -> None:
    server.found, server.searches = [post(number) for number in range(150)], 1
    one = source(tmp_path, server, gap_query="cats")
    now = datetime.now(UTC)
    one.recovery.enqueue(Gap(since=now - timedelta(hours=1), until=now - timedelta(minutes=1), reason="r"))
    with reading(one) as read:
        read.until(lambda: server.too_many["searches"], "the limit")
        read.until(lambda: one.recovery._waiting[0].paused_until > time.monotonic() + 600, "the reset to be heeded")
    assert one.recovery.to_cursor()[0]["place"] == "100"


def test_a_gap_is_searched_to_the_end_of_its_last_second_and_its_edges_first(server: FakeX, tmp_path: Path) -> None:
    server.found = [post(1)]
    one = source(tmp_path, server, gap_query="cats")
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    one.recovery.enqueue(Gap(since=end - timedelta(seconds=20.5), until=end + timedelta(seconds=0.25), reason="r"))
    with reading(one) as read:
        read.until_ids("1")
        read.until(lambda: any(gap.recovered_by for gap in read.gaps), "all of it")
    assert spans(server, end) == [(-31, -20), (0, 1), (-20, 0)], "X cuts to the second, and leaves the end out"


def spans(server: FakeX, zero: datetime) -> list[tuple[float, ...]]:
    """What was searched, in seconds."""
    ends = [(query["start_time"][0], query["end_time"][0]) for query in server.search_queries]
    return [tuple((datetime.fromisoformat(one) - zero).total_seconds() for one in pair) for pair in ends]


def test_gaps_that_follow_closely_are_not_searched_twice(server: FakeX, tmp_path: Path) -> None:
    one = source(tmp_path, server, gap_query="cats")
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    for second in (0, 6, 12):
        since = start + timedelta(seconds=second)
        one.recovery.enqueue(Gap(since=since, until=since + timedelta(seconds=2), reason="r"))
    with reading(one) as read:
        read.until(lambda: sum(bool(gap.recovered_by) for gap in read.gaps) == 3, "the searches")
    assert spans(server, start) == [(-10, 0), (0, 6), (6, 12), (12, 14)]


def test_a_gap_that_cannot_be_searched_now_waits_and_one_out_of_reach_is_given_up(
    server: FakeX, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    began = time.monotonic()
    options = {"gap_query": "cats", "price": 1.0, "daily_budget": 5, "margin": 1}
    one = source(tmp_path, server, **options)
    one.recovery.enqueue(Gap(since=now - timedelta(days=8), until=now - timedelta(days=7), reason="r"))
    one.recovery.enqueue(Gap(since=now - timedelta(hours=1), until=now - timedelta(minutes=1), reason="r"))
    with reading(one) as read:
        read.until(lambda: len({kept["from"] for kept in one.recovery.to_cursor()}) == 1, "the one out of reach")
        read.until(lambda: one.recovery._waiting[0].paused_until, "the budget: there is a new one at midnight")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    pause = one.recovery._waiting[0].paused_until - began
    assert abs(pause - (midnight - now).total_seconds()) < patient(60)
    assert server.search_queries == []


def test_restarts_do_not_make_more_connections_than_x_allows(server: FakeX, tmp_path: Path) -> None:
    server.connects = 4
    began = time.monotonic()
    for number in range(4):
        with reading(source(tmp_path, server, connects=4)) as read:
            read.until(lambda number=number: server.feed.opened > number, "the connection")
            server.publish(post(1))
            read.until_ids("1")
    fifth = source(tmp_path, server, connects=4)
    with reading(fifth) as read:
        read.until(lambda: len(read.batches) > 5, "signs of life")
        due = fifth.ways.connections.due()
        assert 899 - (time.monotonic() - began) < due <= 901
    assert not server.too_many
    assert server.count("GET", STREAM) == 4
    kept = tmp_path / "state" / "connects.json"
    counts = json.loads(kept.read_bytes())
    kept.write_text(json.dumps({str(int(second) - 901): calls for second, calls in counts.items()}))
    with reading(source(tmp_path, server, connects=4)) as read:
        read.until(lambda: server.count("GET", STREAM) == 5, "a quarter of an hour later")


def test_the_guard_stops_before_a_budget_is_passed_and_remembers_across_restarts(server: FakeX, tmp_path: Path) -> None:
    options = {"daily_budget": 0.5, "price": 0.005, "margin": 20}  # a hundred posts
    one = source(tmp_path, server, **options)
    with reading(one) as read:
        read.until(lambda: server.feed.connected, "the connection")
        for number in range(80):
            server.publish(post(number))
            read.until(lambda number=number: len(read.events) > number, "the post")
        read.until(lambda: not server.feed.connected, "the guard")
        assert read.batches[-1].heard
    assert one.gauges()["x_spent_day_usd"] == pytest.approx(0.4)
    assert one.gauges()["x_paused_for_budget"] == 1
    again = source(tmp_path, server, **options)
    with reading(again, after=read.cursor) as read:
        read.until(lambda: len(read.batches) > 3, "signs of life")
    assert server.count("GET", STREAM) == 1


def test_a_new_day_has_a_new_budget(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 30, 23, tzinfo=UTC)
    guard = Spend(path=tmp_path / "spend.json", price=1.0, daily=10, monthly=15, clock=lambda: moment)
    guard.note(10)
    over = guard.spent()
    assert isinstance(over, BudgetSpent)
    assert over.resumes == datetime(2026, 12, 1, tzinfo=UTC)
    moment = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert guard.room() == 10
    guard.note(10)
    moment = datetime(2026, 12, 2, 1, tzinfo=UTC)
    assert guard.room() == 5
    guard.note(5)
    monthly = guard.spent()
    assert monthly is not None
    assert monthly.resumes == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_clock_that_was_ahead_for_a_while_makes_no_budget_forgotten(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 30, 12, tzinfo=UTC)
    guard = Spend(path=tmp_path / "spend.json", price=1.0, daily=10, monthly=15, clock=lambda: moment)
    guard.note(9)
    for wrong in (datetime(2027, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)):
        moment = wrong
        guard.note(1)
    moment = datetime(2026, 11, 30, 13, tzinfo=UTC)
    assert guard.room() == 1
    again = Spend(path=tmp_path / "spend.json", price=1.0, daily=10, monthly=15, clock=lambda: moment)
    assert again.room() == 1


def test_counts_that_cannot_be_read_stop_reading_with_what_to_do(server: FakeX, tmp_path: Path) -> None:
    one = source(tmp_path, server)
    one.spend.note(5)
    path = one.spend.path
    for content in (b"", b"{cut", b"[1]"):
        path.write_bytes(content)
        with pytest.raises(KeptDamaged, match=f"{path} .*: correct it, or remove it"):
            source(tmp_path, server)
    assert one.gauges()["x_posts_day"] == 5, "a figure for the heartbeat, whatever the disk has done"
    with reading(one) as read:
        assert isinstance(read.until_failed(), KeptDamaged)
    assert server.count("GET", STREAM) == 0


def test_a_search_that_x_cannot_answer_is_asked_again_and_no_page_is_paid_for_twice(
    server: FakeX, tmp_path: Path
) -> None:
    server.found = [post(number) for number in range(150)]
    soon = {"x-rate-limit-reset": str(int(datetime.now(UTC).timestamp()) + 1)}
    server.trouble = [(503, {}, {}), (503, {}, soon)]
    guard = Spend(path=tmp_path / "spend.json", price=0.005, daily=9, monthly=9)
    search = RecentSearch(api=Api(Secret(TOKEN), server.url), query="cats", spend=guard)
    now = datetime.now(UTC)
    batches = list(search.read(now - timedelta(hours=1), now, Event()))
    assert sum(len(batch.events) for batch in batches) == 150
    assert guard.gauges()["x_posts_day"] == 150


def test_what_comes_while_nobody_reads_on_passes_no_budget(server: FakeX, tmp_path: Path) -> None:
    one = source(tmp_path, server, daily_budget=2.0, price=0.005, margin=100, volume_share=0.0)  # 400 posts
    batches = one.read(after=None)
    wait_for(lambda: next(batches) and server.feed.connected, what="the connection", every=0.0)
    posts = [json.dumps(post(number)).encode() + b"\r\n" for number in range(20_000)]
    server.feed.publish(*posts)
    seen: list[int] = []

    def held_back() -> bool:
        """Whether nothing more goes out: all of it has, or the client takes no more."""
        seen.append(server.feed.written)
        return seen[-1] >= sum(map(len, posts)) or (len(seen) > 20 and len(set(seen[-20:])) == 1)

    wait_for(held_back, what="the server to have sent what it can")
    wait_for(lambda: next(batches) and one.gauges()["x_paused_for_budget"], what="the guard", every=0.0)
    one.stop()
    assert 200 <= one.gauges()["x_posts_day"] <= 400


def test_no_more_posts_are_read_in_a_month_than_x_gives_whatever_the_budgets_hold(
    server: FakeX, tmp_path: Path
) -> None:
    moment = datetime(2026, 11, 5, 1, tzinfo=UTC)
    guard = Spend(path=tmp_path / "spend.json", price=0.005, daily=1e6, monthly=1e6, cap=300, clock=lambda: moment)
    guard.note(280)
    assert guard.room() == 20
    assert guard.spent(21) is not None
    guard.note(20)
    over = guard.spent()
    assert over is not None
    assert "300 of the 300 posts of a month" in str(over)
    assert over.resumes == datetime(2026, 12, 1, tzinfo=UTC)
    assert source(tmp_path, server).gauges()["x_cap_month_posts"] == 3_000_000
    with reading(source(tmp_path, server, monthly_posts=30, margin=20, volume_share=0.0)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        for number in range(10):
            server.publish(post(number))
        read.until(lambda: not server.feed.connected, "the guard")
    with pytest.raises(WrongSettings, match="leaves nothing of the 30 posts of a month"):
        source(tmp_path, server, monthly_posts=30, margin=30)


def test_a_crash_loop_does_not_pass_x_s_limit(server: FakeX, tmp_path: Path) -> None:
    server.connects = 3
    source = {"kind": "x", "host": server.url, "bearer_token": TOKEN, "rules": RULES, "connects": 3}
    with aws_server() as aws:
        streamer = StreamerProcess(tmp_path, aws.url, [], {"source": {**source, **BUDGETS}})
        for number in range(5):
            process = streamer.start()
            try:
                if number < 3:
                    wait_for(lambda number=number: server.feed.opened > number, what="the connection")  # type: ignore[misc]
                else:
                    rules = server.count("GET", f"{STREAM}/rules")
                    wait_for(lambda rules=rules: server.count("GET", f"{STREAM}/rules") > rules, what="the rules")  # type: ignore[misc]
                    beats = wait_for(lambda: heartbeat(aws), what="a heartbeat")
                    wait_for(lambda beats=beats: heartbeat(aws) != beats, what="the next")  # type: ignore[misc]
            finally:
                process.kill()
                process.wait()
    assert server.count("GET", STREAM) == 3
    assert not server.too_many


def test_what_x_asks_of_keepers_of_posts_reaches_the_lake_or_the_ledger(server: FakeX, tmp_path: Path) -> None:
    about = {"tweet": {"id": "5", "author_id": "7"}, "event_at": "2026-11-01T05:00:01.000Z"}
    source = {"kind": "x", "host": server.url, "bearer_token": TOKEN, "rules": RULES, **BUDGETS}
    with aws_server() as aws:
        streamer = StreamerProcess(tmp_path, aws.url, [], {"source": source, "sink": {"flush_seconds": 0.1}})
        process = streamer.start()
        try:
            wait_for(lambda: server.feed.connected, what="the connection")
            server.publish(post(5))
            server.publish({"data": {"withheld": {**about, "withheld_in_countries": ["DE"]}}})
            server.publish({"data": {"drop": about}})
            server.publish({"data": {"scrub_geo": about}})
            wait_for(lambda: len(aws.lines("-posts")) == 2, what="the post and its end")
            process.terminate()
            assert process.wait(patient(60)) == 0
        finally:
            process.kill()
            process.wait()
        assert [(line["kind"], line["post_id"]) for line in aws.lines("-posts")] == [("post", "5"), ("delete", "5")]
        counts = (heartbeat(aws) or {})["counts"]
        assert (counts["read"], counts["deletes"], counts["ignored"]) == (4, 1, 2)
        rows = sorted((row["kind"], row["post_id"], row["about"]) for row in ledger(aws, "notices"))
        assert rows == [("scrub_geo", "5", "place of the post"), ("withheld", "5", "DE")]


def test_a_search_never_asks_for_more_than_the_budget_holds(server: FakeX, tmp_path: Path) -> None:
    server.found = [post(number) for number in range(150)]
    guard = Spend(path=tmp_path / "spend.json", price=0.005, daily=0.6, monthly=9)
    one = source(tmp_path, server)
    search = RecentSearch(api=Api(Secret(TOKEN), server.url), query="cats", spend=guard)
    now = datetime.now(UTC)
    with pytest.raises(BudgetSpent):
        list(search.read(now - timedelta(hours=1), now, one._stopped))
    assert [query["max_results"] for query in server.search_queries] == [["100"], ["20"]]


def test_volume_that_falls_away_is_noticed_once() -> None:
    now = [0.0]
    watch = VolumeWatch(share=0.1, clock=lambda: now[0])
    watch.fallen(0)
    fallen = []
    for minute in range(1, 30):
        now[0] = minute * 60.0
        fallen.append(watch.fallen(600 if minute < 15 else 5))
    assert fallen.count(True) == 1
    assert fallen.index(True) == 14


def test_pauses_grow_by_kind_of_failure(tmp_path: Path) -> None:
    ways = XStream.__dataclass_fields__["ways"].default_factory()  # type: ignore[misc]
    network = [ways.network.failed() for _ in range(80)]
    http = [ways.http.failed() for _ in range(10)]
    limited = [ways.limited.failed() for _ in range(10)]
    for pauses, first, second, longest in ((network, 0.25, 0.5, 16), (http, 5, 10, 320), (limited, 60, 120, 900)):
        assert 0.75 * first <= pauses[0] <= first
        assert 0.75 * second <= pauses[1] <= second
        assert 0.75 * longest <= pauses[-1] <= longest
    assert Backoff(first=1, longest=2).failed() <= 1


def test_malformed_lines_are_rejected_with_a_reason(server: FakeX, tmp_path: Path) -> None:
    with reading(source(tmp_path, server)) as read:
        read.until(lambda: server.feed.connected, "the connection")
        for line in (b"{cut", b"[1]", b'"\xff\xfe"', json.dumps({"data": {"id": "1"}}).encode(), b'{"data":[]}'):
            server.publish(line + b"\r\n")
        server.publish(post(5))
        read.until_ids("5")
    assert len(read.rejects) == 4
    assert all(reject.reason and reject.where for reject in read.rejects)


def test_the_token_is_in_no_log_line_and_no_error(
    server: FakeX, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.refuse = [(403, {"detail": "no access"}, {})]
    one = source(tmp_path, server)
    with reading(one) as read:
        error = read.until_failed()
    wrong = built(
        "x",
        tmp_path / "s",
        bearer_token=TOKEN,
        host="http://127.0.0.1:1",
        rules=RULES,
        daily_budget=9.0,
        monthly_budget=9.0,
    )
    with reading(wrong) as read:
        wait_for(lambda: wrong.reconnects > 0, what="a failed connection")  # type: ignore[attr-defined]
    assert caplog.text
    assert TOKEN not in caplog.text + repr(error) + str(error) + repr(one)
