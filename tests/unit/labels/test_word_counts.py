"""Words of posted days: what a word is, how days are counted, and what corrects them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from postrank.labels.budgets import WordLimits
from postrank.labels.deletions import Deletions
from postrank.labels.word_counts import WordCounting
from postrank.labels.word_tokens import words_of
from tests.support.lake.ranked_lake import delete, post
from tests.unit.labels.conftest import ingest

HOUR = "2026-11-24T05"
AT = "2026-11-24T05:00:0{}.000Z"
LATER = "2026-11-24T06:00:00.000Z"
WORDS = "select posted_date::text, language, word, posts from words order by 1, 2, 4 desc, 3"


@pytest.fixture
def counting(parts):
    return WordCounting(limits=WordLimits(least_posts=1), **parts)


def words(database):
    return database.execute(WORDS).fetchall()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The queue, the QUEUE at gate 7!", "en", {"queue", "gate"}),
        (
            "Hail @sim_ann@sim.example see https://a.example/b?c and www.b.example #rain ＃雨 c.example/d",
            "en",
            {"hail"},
        ),
        ("mail ann@a.example, v1.2", "en", {"mail"}),
        ("don’t rock'n'roll", "en", {"rock'n'roll"}),
        ("Über die Straße", "de", {"straße"}),
        ("今日はとても良い天気ですね。猫が走った", "ja", {"今日", "とても", "天気", "猫", "走る"}),
        ("猫が走った", None, {"猫", "走る"}),
        ("我来到北京清华大学", "zh", {"来到", "北京", "清华大学"}),
        ("오늘은 날씨가 정말 좋네요", None, {"오늘", "날씨", "좋다"}),
        ("ราคาถูก", "th", set()),
        ("किताब", "hi", {"किताब"}),
        ("a " + "x" * 41, "en", set()),
        ("", None, set()),
    ],
)
def test_words_are_what_says_something(text, language, expected):
    assert words_of(text, language) == expected


def test_a_word_counts_once_a_post_and_reposts_do_not_count(lake, counting, database):
    ingest(
        lake,
        HOUR,
        post("1", "ann", AT.format(1), text="rain rain", lang="en"),
        post("2", "bob", AT.format(2), text="Rain, snow", lang="en-GB"),
        post("3", "bob", AT.format(3), text="rain", lang="en", repost_of="1"),
        post("4", "bob", "2026-11-23T05:00:00.000Z", text="neve", lang="it"),
        post("5", "bob", AT.format(4), text=None),
    )
    outcome = counting.run()
    day = "2026-11-24"
    assert words(database) == [("2026-11-23", "it", "neve", 1), (day, "en", "rain", 2), (day, "en", "snow", 1)]
    assert (outcome.days, outcome.posts, outcome.words) == (2, 3, 3)


def test_rare_words_and_those_beyond_the_top_are_not_stored(lake, counting, database):
    texts = ["rain snow", "rain snow", "rain hail"]
    ingest(lake, HOUR, *(post(f"{n}", "ann", AT.format(n), text=text, lang="en") for n, text in enumerate(texts)))
    replace(counting, limits=WordLimits(least_posts=2, most_words=1)).run()
    assert [row[2] for row in words(database)] == ["rain"]


def test_only_days_that_changed_are_counted_again(lake, counting, database):
    ingest(lake, HOUR, post("1", "ann", AT.format(1), text="rain", lang="en"))
    ingest(lake, "2026-11-23T05", post("2", "ann", "2026-11-23T05:00:00.000Z", text="snow", lang="en"))
    assert counting.run().days == 2
    assert counting.run().days == 0
    ingest(lake, "2026-11-24T06", post("3", "ann", "2026-11-23T06:00:00.000Z", text="snow", lang="en"))
    assert counting.run().days == 1
    assert [(row[2], row[3]) for row in words(database)] == [("snow", 2), ("rain", 1)]


def test_edits_and_deletions_correct_a_day(lake, counting, database):
    ingest(lake, HOUR, *(post(n, "ann", AT.format(n), text=f"rain w{n}x", lang="en") for n in "12"))
    counting.run()
    edited = post("1", "ann", AT.format(1), kind="edit", text="snow", lang="en", received_at=LATER)
    ingest(lake, "2026-11-24T06", edited, delete("2", received_at=LATER))
    counting.run()
    assert [row[2] for row in words(database)] == ["snow"]


def test_a_budget_leaves_days_for_the_next_run(lake, counting, database):
    for day in ("21", "22", "23"):
        ingest(lake, f"2026-11-{day}T05", post(day, "ann", f"2026-11-{day}T05:00:00.000Z", text="rain", lang="en"))
    small = replace(counting, limits=WordLimits(least_posts=1, posts=1))
    assert [(outcome.days, outcome.days_left) for outcome in (small.run(), small.run())] == [(1, 2), (1, 1)]
    assert [row[0] for row in words(database)] == ["2026-11-22", "2026-11-23"]


def test_redaction_removes_words_counted_with_a_deleted_post(lake, parts, counting, database):
    ingest(lake, HOUR, *(post(n, "ann", AT.format(n), text="rain", lang="en") for n in "12"))
    ingest(lake, "2026-11-23T05", post("3", "ann", "2026-11-23T05:00:00.000Z", text="snow", lang="en"))
    counting.run()
    ingest(lake, "2026-11-24T06", delete("2", received_at=LATER), post("4", "ann", "2026-11-23T06:00:00.000Z"))
    deletions = Deletions(**parts)
    assert deletions.run(datetime(2026, 11, 24, 15, tzinfo=UTC)).days == 1
    assert [row[2] for row in words(database)] == ["snow"]
    counting.run()
    assert ("2026-11-24", "en", "rain", 1) in words(database)
    assert deletions.run(datetime(2026, 11, 24, 15, tzinfo=UTC)).days == 0
