"""Windows by any key equal what a plain count gives, whatever the order, and survive a restart."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from postrank.posts import Log, Post
from postrank.posts.times import to_text
from postrank.windows.keyed_windows import KEPT_MS, SKEW_MS, USUAL_VIEWS, KeyedWindow, KeyedWindows, View

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NOW_MS = round(START.timestamp() * 1000) + 3_600_000
HOSTS = View("hosts", "log", "host", 60_000, 60_000)


def request(number: int, seconds: float, **fields) -> Log:
    at = to_text(START + timedelta(seconds=seconds))
    return Log(**{"network": "web", "post_id": f"f-{number}", "posted_at": at, "host": "h", "status": 200, **fields})


def newest(windows: list[KeyedWindow]) -> dict[tuple[str, str, str], int]:
    counts: dict[tuple[str, str, str], int] = {}
    for window in windows:
        key = (window.view, window.value, window.window_start[11:16])
        assert counts.get(key, 0) < window.posts, "a window comes again only with a higher count"
        counts[key] = window.posts
    return counts


def test_requests_are_counted_by_minute_and_status_and_errors_slide() -> None:
    keyed = KeyedWindows(USUAL_VIEWS)
    keyed.add([request(1, 1), request(2, 59), request(3, 61, status=503), request(3, 61, status=503)], NOW_MS)
    windows, _ = keyed.take(ended=True)
    minutes = {("status_windows", "200", "12:00"): 2, ("status_windows", "503", "12:01"): 1}
    sliding = {("server_errors", "503", f"{hour}"): 1 for hour in ("11:57", "11:58", "11:59", "12:00", "12:01")}
    assert newest(windows) == minutes | sliding
    assert {window.window_end[11:16] for window in windows if window.view == "server_errors"} == {
        "12:02",
        "12:03",
        "12:04",
        "12:05",
        "12:06",
    }


def test_a_window_is_emitted_when_the_watermark_passes_it_and_again_when_it_grows() -> None:
    keyed = KeyedWindows([HOSTS], lateness_ms=10_000)
    keyed.add([request(1, 5)], NOW_MS)
    assert keyed.take()[0] == []
    keyed.add([request(2, 71)], NOW_MS)
    [window] = keyed.take()[0]
    assert (window.value, window.window_start, window.posts) == ("h", "2026-05-01T12:00:00.000Z", 1)
    keyed.add([request(3, 30)], NOW_MS)
    [again] = keyed.take()[0]
    assert (again.window_start, again.posts) == (window.window_start, 2)


def test_requests_too_late_for_a_kept_minute_are_counted_as_such() -> None:
    keyed = KeyedWindows([HOSTS], lateness_ms=10_000)
    keyed.add([request(1, 5), request(2, 3_660)], NOW_MS + 3_600_000)
    keyed.take()
    oldest = 3_660 - 10 - KEPT_MS / 1000
    keyed.add([request(3, oldest), request(4, oldest - 0.001), request(5, oldest - 60)], NOW_MS + 3_600_000)
    assert keyed.too_late == 2
    windows, _ = keyed.take()
    assert newest(windows) == {("hosts", "h", "12:00"): 2}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_minute_is_kept_for_an_hour_behind_the_watermark_and_no_longer(restarted: bool) -> None:
    assert KEPT_MS == 3_600_000
    sliding = View("errors", "log", "host", 300_000, 60_000)
    keyed = KeyedWindows([sliding], lateness_ms=10_000)
    for minute in range(120):
        keyed.add([request(minute, minute * 60)], NOW_MS + 10_000_000)
        keyed.take()
    if restarted:
        state = keyed.snapshot()
        keyed = KeyedWindows([sliding], lateness_ms=10_000)
        keyed.restore(state)
    slots = sorted(slot for slot, *_ in keyed.snapshot()["views"]["errors"]["added"])
    watermark = START.timestamp() * 1000 + 119 * 60_000 - 10_000
    assert slots[0] == (watermark - KEPT_MS - 300_000) // 60_000, "a window's length before what may still come"
    assert len(slots) == len(set(slots)) == 67


def test_requests_dated_far_ahead_are_in_no_window_and_move_no_watermark() -> None:
    keyed = KeyedWindows([HOSTS], lateness_ms=0)
    now = round(START.timestamp() * 1000)
    keyed.add([request(1, 0), request(2, SKEW_MS / 1000), request(3, 86_400), request(4, 86_400.001)], now)
    assert newest(keyed.take()[0]) == {("hosts", "h", f"12:0{minute}"): 1 for minute in (0,)}
    keyed.add([request(5, SKEW_MS / 1000 + 0.001)], now)
    assert keyed.newest_ms == now + SKEW_MS
    assert {window.window_start[8:16] for window in keyed.take(ended=True)[0]} == {"01T12:05", "02T12:00"}


def test_a_minute_is_final_half_a_minute_after_its_end_unless_told_otherwise() -> None:
    keyed = KeyedWindows([HOSTS])
    keyed.add([request(1, 5), request(2, 89.999)], NOW_MS)
    assert keyed.take()[0] == []
    keyed.add([request(3, 90)], NOW_MS)
    assert newest(keyed.take()[0]) == {("hosts", "h", "12:00"): 1}


def test_a_streamer_without_requests_counts_nothing() -> None:
    keyed = KeyedWindows(USUAL_VIEWS)
    keyed.add([Post(network="x", post_id="1", author_id="a", posted_at=to_text(START))], NOW_MS)
    windows, changes = keyed.take(ended=True)
    assert windows == []
    assert changes["seen"] == []


def test_posts_may_be_counted_by_a_field_of_their_own() -> None:
    keyed = KeyedWindows([View("languages", "post", "lang", 60_000, 60_000)])
    posts = [Post(network="x", post_id=str(n), author_id="a", posted_at=to_text(START), lang="de") for n in range(3)]
    keyed.add([*posts, Post(network="x", post_id="9", author_id="a", posted_at=to_text(START))], NOW_MS)
    assert newest(keyed.take(ended=True)[0]) == {("languages", "de", "12:00"): 3}


def test_any_order_and_any_restart_give_the_counts_of_a_plain_count() -> None:
    draw = random.Random(5)
    view = View("errors", "log", "status", 300_000, 60_000)
    events = [request(n, draw.uniform(0, 1500), status=draw.choice((200, 404, 500))) for n in range(600)]
    expected: Counter[tuple[str, int]] = Counter()
    for event in events:
        minute = int(event.posted_at[14:16])
        expected.update((str(event.status), start) for start in range(minute - 4, minute + 1))
    keyed = KeyedWindows([view], lateness_ms=5_000)
    journal = []
    seen: dict[tuple[str, str], int] = {}
    for start in range(0, len(events), 20):
        keyed.add(events[start : start + 20], NOW_MS)
        windows, changes = keyed.take(ended=start + 20 >= len(events))
        journal.append(changes)
        for window in windows:
            seen[window.value, window.window_start] = window.posts
        if draw.random() < 0.3:
            snapshot = [keyed.snapshot()] if draw.random() < 0.5 else []
            journal = snapshot or journal
            keyed = KeyedWindows([view], lateness_ms=5_000)
            for frame in journal:
                keyed.restore(frame)
    starts = {(value, to_text(START + timedelta(minutes=minute))): posts for (value, minute), posts in expected.items()}
    assert seen == starts
