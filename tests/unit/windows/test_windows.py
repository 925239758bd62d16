"""Author windows: final counts are those of the posts, in whatever order and however often these come."""

from collections import Counter
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postrank.posts import Post
from postrank.posts.times import milliseconds, to_text
from postrank.windows.author_numbers import Authors
from postrank.windows.author_windows import EDIT_HORIZON_MS, SKEW_MS, AuthorWindows
from postrank.windows.seen_posts import Seen
from postrank.windows.window import Window
from tests.support.streaming.streamers import START

START_MS = round(START.timestamp() * 1000)
FAR = 2**62


def post(number: int, seconds: float, author: str = "a", kind: str = "post") -> Post:
    at = START + timedelta(milliseconds=round(seconds * 1000))
    return Post(
        network="x",
        post_id=str(number),
        author_id=author,
        posted_at=to_text(at),
        author_handle=author.upper(),
        kind=kind,
    )  # type: ignore[arg-type]


def tumbling(emitted: list[Window]) -> list[tuple[str, int, int]]:
    """Author, minutes after START, posts."""
    return [
        (window.author_id, (milliseconds(window.window_start) - START_MS) // 60_000, window.posts)
        for window in emitted
        if window.kind == "tumbling"
    ]


def test_a_minute_is_final_when_the_watermark_has_passed_its_end() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 59.999), post(3, 60)], FAR)
    assert tumbling(windows.take()[0]) == []
    windows.add([post(4, 89.999)], FAR)
    assert tumbling(windows.take()[0]) == []
    windows.add([post(5, 90)], FAR)
    assert tumbling(windows.take()[0]) == [("a", 0, 2)]


def test_a_late_post_emits_its_minute_again_with_the_higher_count() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 200)], FAR)
    assert tumbling(windows.take()[0]) == [("a", 0, 1)]
    windows.add([post(3, 7)], FAR)
    assert tumbling(windows.take()[0]) == [("a", 0, 2)]


def test_a_late_post_of_the_minute_that_was_closed_last_emits_it_again() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 119), post(3, 150)], FAR)
    assert tumbling(windows.take()[0]) == [("a", 0, 1), ("a", 1, 1)]
    windows.add([post(4, 60)], FAR)
    assert tumbling(windows.take()[0]) == [("a", 1, 2)]


def test_a_post_that_comes_twice_counts_once() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(1, 5), post(1, 5, kind="edit")], FAR)
    assert tumbling(windows.take(ended=True)[0]) == [("a", 0, 1)]


def test_a_clock_that_runs_ahead_does_not_close_the_present() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 86_400 * 365)], START_MS + 10_000)
    assert tumbling(windows.take()[0]) == []


@pytest.mark.parametrize(("skew_ms", "closed"), [(SKEW_MS, [("a", 0, 1)]), (SKEW_MS + 1, [])])
def test_a_post_moves_the_watermark_up_to_five_minutes_ahead_of_the_clock(skew_ms: int, closed: list) -> None:
    assert SKEW_MS == 300_000
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, (10_000 + skew_ms) / 1000)], START_MS + 10_000)
    assert tumbling(windows.take()[0]) == closed


@pytest.mark.parametrize(("age_ms", "posts"), [(EDIT_HORIZON_MS, 1), (EDIT_HORIZON_MS + 1, 0)])
def test_an_edit_of_an_unseen_post_counts_up_to_an_hour_behind_the_newest(age_ms: int, posts: int) -> None:
    assert EDIT_HORIZON_MS == 3_600_000
    windows = AuthorWindows()
    windows.add([post(1, 7200)], FAR)
    windows.add([post(2, (7_200_000 - age_ms) / 1000, "edited", kind="edit"), post(3, 0, "late")], FAR)
    counts = Counter({author: number for author, _, number in tumbling(windows.take(ended=True)[0])})
    assert (counts["edited"], counts["late"]) == (posts, 1)


def test_authors_whose_ids_differ_in_case_alone_are_two() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5, "Ann"), post(2, 6, "ann"), post(3, 7, "Ann")], FAR)
    assert sorted((author[1], number) for author, number in windows.top(5)) == [("Ann", 2), ("ann", 1)]
    assert sorted(tumbling(windows.take(ended=True)[0])) == [("Ann", 0, 2), ("ann", 0, 1)]


def test_a_post_dated_far_ahead_is_counted_and_in_no_window() -> None:
    windows = AuthorWindows()
    ahead = [post(number, 86_400 * days, "future") for number, days in ((1, 2), (2, 365), (3, 365 * 900))]
    assert windows.add([*ahead, post(4, 5), post(5, 86_400)], START_MS + 10_000) == 3
    assert windows.top(5) == [(("x", "a", "A"), 1)]
    emitted, _ = windows.take(ended=True)
    assert tumbling(emitted) == [("a", 0, 1), ("a", 1440, 1)]
    assert set(windows.snapshot()["seen"]) == {"x\n4", "x\n5"}


def test_a_post_dated_ahead_of_the_watermark_is_not_in_the_live_list_before_its_time() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 3_600, "soon")], START_MS + 10_000)
    windows.take()
    windows.add([post(3, 20)], START_MS + 20_000)
    assert windows.top(5) == [(("x", "a", "A"), 2)]
    windows.add([post(4, 3_601)], START_MS + 3_601_000)
    assert windows.top(5) == [(("x", "a", "A"), 1), (("x", "soon", "SOON"), 1)]


def test_a_sliding_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 0), post(2, 30), post(3, 60), post(4, 60.001), post(5, 70)], FAR)
    sliding = {
        (milliseconds(window.window_end) - START_MS) // 1000: window.posts
        for window in windows.take()[0]
        if window.kind == "sliding"
    }
    assert sliding[60] == 2  # (0, 60]: the post at 0 is outside, the one at 60 inside
    assert sliding[65] == 3


def test_the_end_of_a_stream_emits_no_sliding_window_behind_its_newest_post() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 5), post(2, 310 + SKEW_MS / 1000)], START_MS + 10_000)
    windows.add([post(3, 302)], START_MS + 10_000)
    windows.add([post(4, 306)], START_MS)
    sliding = [milliseconds(window.window_end) for window in windows.take(ended=True)[0] if window.kind == "sliding"]
    assert max(sliding) == START_MS + 305_000


def test_the_live_list_names_who_wrote_most_in_the_newest_60_seconds() -> None:
    windows = AuthorWindows()
    windows.add([post(1, 0, "old"), post(2, 0, "old"), post(3, 100, "b"), post(4, 110, "c"), post(5, 111, "c")], FAR)
    assert windows.top(5) == [(("x", "c", "C"), 2), (("x", "b", "B"), 1)]


def test_memory_is_bounded_by_letting_the_oldest_minutes_go() -> None:
    windows = AuthorWindows(retained=1000)
    for number in range(5000):
        windows.add([post(number, number * 60, f"a{number}")], FAR)
        windows.take()
    kept = windows.snapshot()
    assert sum(map(len, kept["minutes"].values())) <= 1100
    assert len(windows.authors) <= 12_300
    windows.add([post(10**6, 0, "late")], FAR)
    assert tumbling(windows.take()[0]) == []
    assert windows.too_late == 1


def test_of_minutes_that_are_too_many_a_tenth_more_goes_at_once() -> None:
    windows = AuthorWindows(retained=1000)
    sizes = []
    for number in range(1200):
        windows.add([post(number, number * 60, f"a{number}")], FAR)
        windows.take()
        sizes.append(len(windows.snapshot()["minutes"]))
    assert max(sizes) <= 1002
    assert min(sizes[1000:]) <= 902, "so that this is done once in a hundred minutes"


def test_the_memory_of_ids_is_bounded_and_keeps_the_newest() -> None:
    seen = Seen(horizon=100)
    assert all(seen.add([str(number)]) for number in range(1000))
    assert len(seen.all()) <= 200
    assert not any(seen.add([str(number)]) for number in range(900, 1000))
    assert seen.add(["999", "new", "new", "newer", "999"]) == [1, 3]


events = st.lists(st.tuples(st.integers(0, 300), st.sampled_from("abc"), st.integers(0, 400_000)), max_size=80)


@settings(max_examples=150, deadline=None)
@given(events, st.lists(st.integers(1, 10), min_size=1, max_size=20), st.integers(0, 20))
def test_final_counts_are_those_of_the_posts_in_any_order_through_restarts(
    drawn: list[tuple[int, str, int]], steps: list[int], crash: int
) -> None:
    first: dict[int, Post] = {}
    posts = [first.setdefault(n, post(n, ms / 1000, author)) for n, author, ms in drawn]
    windows, journal, found = AuthorWindows(rows=2), [], {}
    at = step = 0
    while at < len(posts):
        size = steps[step % len(steps)]
        windows.add(posts[at : at + size], FAR)
        if step == crash:  # what was added is forgotten, and read again
            windows = AuthorWindows(rows=2)
            for changes in journal:
                windows.restore(orjson.loads(orjson.dumps(changes)))
        else:
            at += size
            while True:
                emitted, changes = windows.take(ended=at >= len(posts))
                journal.append(changes)
                for author, minute, count in tumbling(emitted):
                    found[author, minute] = max(found.get((author, minute), 0), count)
                if at < len(posts) or not windows.pending:
                    break
        step += 1
    wanted = Counter((one.author_id, (milliseconds(one.posted_at) - START_MS) // 60_000) for one in first.values())
    assert found == dict(wanted)


def test_counts_survive_restarts_while_authors_are_forgotten_and_change_their_names() -> None:
    made = AuthorWindows(retained=300)
    journal: list[bytes] = []
    for batch in range(150):
        posts = [post(batch * 400 + n, batch * 20 + n / 40, f"{(batch * 397 + n) % 40_000}") for n in range(400)]
        posts.append(post(10**7 + batch, batch * 20, "regular"))
        posts[-1].author_handle = f"name {batch // 9}"
        made.add(posts, FAR)
        journal.append(orjson.dumps(made.take()[1]))
        if batch == 100:
            journal = [orjson.dumps(made.snapshot())]
    restored = AuthorWindows(retained=300)
    for changes in journal:
        restored.restore(orjson.loads(changes))
    emitted = []
    for windows in (made, restored):
        windows.add([post(10**8, 2_990, "regular"), post(10**8 + 1, 2_000, "31")], FAR)
        found = [one for one in windows.take(ended=True)[0] if one.kind == "tumbling"]
        emitted.append(sorted(found, key=lambda one: (one.window_start, one.author_id)))
    assert len(made.authors) < 30_000
    assert emitted[0] == emitted[1] != []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200_000)), min_size=1, max_size=80), st.integers(1, 9))
def test_sliding_windows_of_posts_in_order_are_those_counted_one_by_one(
    drawn: list[tuple[str, int]], size: int
) -> None:
    moments = sorted((START_MS + ms, author) for author, ms in drawn)
    windows, emitted = AuthorWindows(), []
    posts = [post(number, (at - START_MS) / 1000, author) for number, (at, author) in enumerate(moments)]
    for first in range(0, len(posts), size):
        windows.add(posts[first : first + size], FAR)
        emitted += windows.take(ended=first + size >= len(posts))[0]
    sliding = {(one.author_id, milliseconds(one.window_end)): one.posts for one in emitted if one.kind == "sliding"}
    for (author, end), count in sliding.items():
        assert count == sum(who == author and end - 60_000 < at <= end for at, who in moments)
    assert {author for author, _ in sliding} == {author for author, _ in drawn}


def test_a_restart_between_two_takes_emits_the_unfinished_minute_as_a_whole_and_no_other() -> None:
    windows = AuthorWindows(rows=3)
    windows.add([post(n, n // 3 * 60, f"a{n}") for n in range(9)], FAR)
    windows.add([post(9, 240)], FAR)
    first, taken = windows.take()
    assert tumbling(first) == [("a0", 0, 1), ("a1", 0, 1), ("a2", 0, 1)]
    windows.rows = 2
    second, changes = windows.take()
    assert tumbling(second) == [("a3", 1, 1), ("a4", 1, 1)]
    assert windows.pending
    due = [(f"a{n}", n // 3, 1) for n in range(3, 9)]
    for states in ([taken, changes], [windows.snapshot()]):
        restored = AuthorWindows()
        for state in states:
            restored.restore(orjson.loads(orjson.dumps(state)))
        assert tumbling(restored.take()[0]) == due


def test_a_batch_of_several_networks_counts_each_post_in_its_own() -> None:
    windows = AuthorWindows()
    batch = [post(n, 5) for n in range(6)]
    for place, network in enumerate(("x", "bluesky", "x", "bluesky", "x", "mastodon:a")):
        batch[place].network = network
    windows.add(batch[:4], FAR)
    windows.add(batch[4:], FAR)
    counts = {window.network: window.posts for window in windows.take(ended=True)[0] if window.kind == "tumbling"}
    assert counts == {"x": 3, "bluesky": 2, "mastodon:a": 1}


def test_authors_that_no_minute_holds_are_forgotten_though_none_was_renamed() -> None:
    windows = AuthorWindows(retained=1000)
    for batch in range(40):
        windows.add([post(batch * 1000 + n, batch * 60, f"a{batch * 1000 + n}") for n in range(1000)], FAR)
        windows.take()
    assert windows.authors.rewritten == 0
    assert len(windows.authors) < 16_000, "ten thousand that may be spare, and twice those in use"


def test_authors_in_use_are_numbered_anew_only_when_many_are_spare() -> None:
    windows = AuthorWindows()
    windows.add([post(n, 0, f"a{n}") for n in range(12_000)], FAR)
    windows.add([post(20_000, 200)], FAR)
    windows.take()
    assert len(windows.authors) == 12_001
    assert windows.take()[1]["authors"]["kept"] is None


def test_a_restart_from_a_snapshot_goes_on_with_the_same_counts() -> None:
    windows = AuthorWindows()
    windows.add([post(n, n, f"a{n % 7}") for n in range(300)], FAR)
    windows.take()
    restored = AuthorWindows()
    restored.restore(orjson.loads(orjson.dumps(windows.snapshot())))
    for one in (windows, restored):
        one.add([post(1000, 3, "a3"), post(5, 5, "a5"), post(1001, 290, "a1")], FAR)
    assert sorted(tumbling(restored.take(ended=True)[0])) == sorted(tumbling(windows.take(ended=True)[0]))
    assert windows.duplicates == restored.duplicates == 1


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "mastodon:a"]), st.text(max_size=3), st.none() | st.text(max_size=3)),
        max_size=200,
    ),
    st.integers(1, 7),
)
def test_an_author_has_one_number_and_the_handle_that_came_last(
    drawn: list[tuple[str, str, str | None]], step: int
) -> None:
    authors, known, numbers = Authors(), {}, {}
    for start in range(0, len(drawn), step):
        for network, author_id, handle in drawn[start : start + step]:
            (number,) = authors.numbers([(network, author_id, handle)])
            assert numbers.setdefault((network, author_id), number) == number
            known[network, author_id] = handle
        kept = dict(list(numbers.items())[::2])
        renumbered = authors.keep(sorted(kept.values()))
        numbers = {name: renumbered[number] for name, number in kept.items()}
        assert len(authors) == len(numbers)
        for name, number in numbers.items():
            assert authors.author(number) == (*name, known[name])


def test_many_authors_are_told_apart_while_their_table_grows() -> None:
    authors = Authors()
    keys = [("x", str(number), f"sim_{number}") for number in range(100_000)]
    assert authors.numbers(keys) == list(range(100_000))
    assert authors.numbers(keys[::-1]) == list(range(100_000))[::-1]
    assert authors.author(77_777) == keys[77_777]


def test_authors_of_the_same_hash_are_told_apart() -> None:
    class Colliding(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return 7

    authors = Authors()
    keys = [(Colliding("x"), Colliding(name), handle) for name, handle in (("1", "a"), ("2", "b"), ("12", "c"))]
    assert authors.numbers(keys) == [0, 1, 2]
    assert authors.numbers([(Colliding("x"), Colliding("2"), "d")]) == [1]
    assert [authors.author(number) for number in range(3)] == [("x", "1", "a"), ("x", "2", "d"), ("x", "12", "c")]


def test_authors_of_a_journal_that_told_the_renamed_ones_apart_have_their_newest_handles() -> None:
    authors = Authors()
    authors.restore({"kept": None, "new": [["x", "1", "a"], ["x", "2", "b"]], "renamed": [["x", "1", "c"]]})
    assert [authors.author(number) for number in range(len(authors))] == [("x", "1", "c"), ("x", "2", "b")]


def test_an_id_that_stands_twice_beside_known_ones_is_new_once() -> None:
    seen = Seen(horizon=3)
    assert list(seen.add(["a", "b", "c"])) == [0, 1, 2]  # the older generation from here on
    assert list(seen.add(["a", "d", "d", "b", "e"])) == [1, 4]
    assert seen.take_new() == ["a", "b", "c", "d", "e"]
