"""The rules of the data contract that no file of given posts can show."""

import pytest

from postrank.ranking.steps import TooManyUnusable
from tests.support.lake.ranked_lake import author_delete, delete, post, render

HOUR, NEXT = "2026-11-24T01", "2026-11-24T02"
OPEN = "2026-11-24T05"  # may still grow when the lake is ranked
DAY = {"interval_start": "2026-11-23T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}


def _ranks(lake, granularity: str = "all") -> list[tuple]:
    return [(row["rank"], row["author_id"], row["posts"], row["revision"]) for row in lake.results.rows(granularity)]


def test_a_second_run_finds_nothing_to_do_until_an_open_hour_changes(lake):
    lake.deliver(OPEN, [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank(**DAY)
    assert lake.rank() is None
    lake.deliver(OPEN, [post("2", "ann", "2026-11-23T10:00:01.000Z")], name="late-object")
    assert lake.rank()["post_lines"] == 2
    assert _ranks(lake, "day") == [(1, "ann", 2, 2)]


def test_a_late_post_makes_a_new_revision_and_the_old_one_is_kept(lake):
    lake.deliver(HOUR, [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank([HOUR])
    lake.deliver(NEXT, [post("2", "bob", "2026-11-23T10:59:00.000Z"), post("3", "bob", "2026-11-23T10:59:30.000Z")])
    lake.rank([NEXT])
    assert _ranks(lake, "hour") == [(1, "bob", 2, 2), (2, "ann", 1, 2)]
    kept = lake.rows(
        "select author_id from author_ranking_revisions where granularity = 'hour' and revision = 1 and rank = 1"
    )
    assert [row["author_id"] for row in kept] == ["ann"]


def test_a_window_that_lost_its_last_post_is_empty(lake):
    lake.deliver(HOUR, [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank([HOUR])
    lake.deliver(NEXT, [delete("1")])
    lake.rank([NEXT])
    assert lake.rows("select * from author_ranking where granularity <> 'all'") == []
    assert lake.results.manifest()["tombstones"] == 1


def test_authors_whose_ids_differ_in_case_alone_are_two(lake):
    lake.deliver(
        HOUR, [post(f"{n}", author, f"2026-11-23T10:00:0{n}.000Z") for n, author in enumerate(("B", "b", "B"))]
    )
    lake.rank([HOUR])
    assert _ranks(lake, "hour") == [(1, "B", 2, 1), (2, "b", 1, 1)]
    assert [row["peak_60s"] for row in lake.results.rows("minute")] == [2, 1]
    later = [post(f"1{hour}", "B", f"2026-11-23T{hour}:00:00.000Z") for hour in ("11", "13")]
    lake.deliver(NEXT, [author_delete("b"), *later])
    lake.rank([NEXT], top=1)
    rows = [(row["window_start"][11:13], row["author_id"], row["previous_rank"]) for row in lake.results.rows("hour")]
    assert rows == [("10", "B", None), ("11", "B", 1), ("13", "B", None)]


def test_the_newest_ranking_is_that_of_the_last_hour_that_has_one(lake):
    lake.deliver(HOUR, [post(hour, "ann", f"2026-11-23T{hour}:00:00.000Z") for hour in ("10", "12", "11")])
    lake.rank([HOUR])
    (row,) = lake.rows(render("queries/newest_ranking.sql"))
    assert (row["window_start"], row["previous_rank"]) == ("2026-11-23 12:00:00.000", "1")


def test_the_sliding_minute_of_the_whole_interval_begins_in_the_day_before(lake):
    """Of ann, three posts in the 60 s up to the interval's first instant; of bob, two of the 60 s up to a later one."""
    evening = {"ann": ("23:59:00.000", "23:59:15.000", "23:59:30.000", "23:59:45.000"), "bob": ("23:59:45.000",) * 2}
    before = [post(f"{a} {n}", a, f"2026-11-22T{t}Z") for a, times in evening.items() for n, t in enumerate(times)]
    lake.deliver(HOUR, before)
    lake.rank([HOUR])
    lake.deliver(
        NEXT,
        [
            post("a", "ann", "2026-11-23T00:00:40.000Z"),
            post("b", "bob", "2026-11-23T00:00:10.000Z"),
            post("c", "bob", "2026-11-24T00:00:00.000Z"),  # behind the interval
        ],
    )
    lake.rank([NEXT], **DAY)
    rows = [(row["author_id"], row["posts"], row["peak_60s"]) for row in lake.results.rows("all")]
    assert rows == [("ann", 1, 3), ("bob", 1, 3)]
    assert {row["window_start"] for row in lake.results.rows("hour")} == {"2026-11-23T00:00:00Z"}


@pytest.mark.parametrize("left_first", [False, True])
def test_an_authors_tombstone_takes_out_what_was_posted_until_then_whichever_comes_first(lake, left_first):
    posts = [
        post("1", "ann", "2026-11-22T10:00:00.000Z"),
        post("2", "ann", "2026-11-23T10:00:00.000Z"),
        post("3", "ann", "2026-11-23T12:00:00.001Z"),  # she came back
        post("4", "bob", "2026-11-23T10:00:00.000Z"),
        post("5", "ann", "2026-11-23T10:00:00.000Z", network="bluesky"),  # another ann
        post("6", "ann", "2026-11-23T12:00:00.000Z"),  # in the moment in which she left
    ]
    arrivals = [posts, [author_delete("ann", "2026-11-23T12:00:00.000Z")]]
    for hour, events in zip((HOUR, NEXT), reversed(arrivals) if left_first else arrivals, strict=True):
        lake.deliver(hour, events)
        lake.rank([hour])
    assert [row["post_id"] for row in lake.rows("select post_id from posts order by post_id")] == ["3", "4", "5"]
    ranked = lake.rows("select author_id, network, posts from author_ranking where granularity = 'day' order by rank")
    assert [tuple(row.values()) for row in ranked] == [("ann", "bluesky", "1"), ("ann", "x", "1"), ("bob", "x", "1")]


def test_a_failed_run_leaves_the_old_answer_and_its_correction_is_not_lost(lake):
    lake.deliver(HOUR, [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank([HOUR])
    lake.deliver(NEXT, [post("2", "ann", "2026-11-23T10:00:05.000Z")])
    failing = lake.ranking("failing", [NEXT])
    assert failing.begin()
    notes = failing.arrived()
    lake.write("staging/arrivals.sql", failing.arrivals(notes))
    lines = failing.survey(notes)
    lake.write("staging/touched_minutes.sql", failing.touched(notes))
    planned = failing.layout(notes, lines)
    lake.write("marts/post_versions.sql", planned["post_versions"])
    failing.point_versions(planned, notes)  # and dies here
    lake.over.add("failing")
    assert lake.rows("select posts from author_ranking where granularity = 'day'") == [{"posts": "1"}]
    lake.rank(["2026-11-24T03"])
    assert lake.rows("select posts from author_ranking where granularity = 'day'") == [{"posts": "2"}]


def test_posts_dated_beyond_the_day_after_their_arrival_are_kept_and_counted_but_not_ranked(lake):
    days = ["2026-11-23", "2026-11-25", "2026-11-26", "2999-12-31"]
    lake.deliver(HOUR, [post(day, "ann", f"{day}T00:00:00.000Z") for day in days])
    manifest = lake.rank([HOUR])
    assert manifest["future_lines"] == 2
    assert manifest["late_lines"] == 1
    assert manifest["posts"] == 2
    assert [row["window_start"][:10] for row in lake.results.rows("day")] == days[:2]
    ranked = lake.rank(interval_start="2026-11-23T00:00:00Z")
    assert [row["window_start"][:10] for row in lake.results.rows("day", ranked["run"])] == days[:2]
    assert [row["post_id"] for row in lake.rows("select post_id from posts order by 1")] == days
    lake.deliver("2026-11-26T01", [post(days[2], "ann", f"{days[2]}T00:00:00.000Z"), delete(days[3])])
    lake.rank(["2026-11-26T01"])
    assert [row["window_start"][:10] for row in lake.results.rows("day")] == [days[2]]
    assert [row["post_id"] for row in lake.rows("select post_id from posts order by 1")] == days[:3]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("later", ["2026-11-24T02", "2026-11-29T02"], ids=["the next hour", "days later"])
def test_a_post_that_comes_with_two_days_counts_in_the_day_it_was_received_with_last(lake, first, later):
    stays = post("1", "ann", "2026-11-23T00:00:00.000Z", received_at="2026-11-24T01:00:02.000Z", hashtags=["tag"])
    goes = post("1", "ann", "2026-11-22T23:59:59.000Z", received_at="2026-11-24T01:00:01.000Z", hashtags=["tag"])
    events = [stays, goes] if first == 0 else [goes, stays]
    for hour, event in zip((HOUR, later), events, strict=True):
        lake.deliver(hour, [event])
        manifest = lake.rank([hour])
    assert [row["posted_date"] for row in lake.rows("select posted_date from posts")] == ["2026-11-23"]
    minutes = lake.rows("select posted_date, sum(posts) as posts from author_minutes group by posted_date")
    assert [tuple(row.values()) for row in minutes] == [("2026-11-23", "1")]
    days = lake.rows(
        "select date_format(window_start, '%Y-%m-%d') as day from author_ranking where granularity = 'day'"
    )
    assert [row["day"] for row in days] == ["2026-11-23"]
    whole = lake.rank(interval_start="2026-11-22T00:00:00Z", interval_end="2026-11-24T00:00:00Z")
    assert [row["posts"] for row in lake.results.rows("all", whole["run"])] == [1]
    assert (whole["post_lines"], whole["posts"], whole["duplicates"]) == (2, 1, 1)
    assert manifest["posts"] == 1


def test_a_post_that_comes_with_two_minutes_of_a_day_leaves_the_minute_it_lost(lake):
    first = post("1", "ann", "2026-11-23T10:00:00.000Z", received_at="2026-11-24T01:00:01.000Z")
    lake.deliver(HOUR, [first, post("2", "bob", "2026-11-23T10:00:01.000Z")])
    lake.rank([HOUR])
    again = {**first, "posted_at": "2026-11-23T10:05:00.000Z", "received_at": "2026-11-24T01:00:02.000Z"}
    lake.deliver(NEXT, [again])
    lake.rank([NEXT])
    minutes = lake.rows(
        "select date_format(window_start, '%H:%i') as minute, author_id from author_ranking"
        " where granularity = 'minute' order by 1"
    )
    assert [tuple(row.values()) for row in minutes] == [("10:00", "bob"), ("10:05", "ann")]


def test_posts_of_any_day_in_the_past_are_ranked(lake):
    days = ["1901-02-03", "1969-12-31", "1970-01-01", "2026-11-24"]
    lake.deliver(HOUR, [post(day, "ann", f"{day}T23:59:59.999Z") for day in days])
    lake.rank([HOUR])
    assert [row["window_start"][:10] for row in lake.results.rows("day")] == days


def test_an_archive_of_more_than_a_hundred_days_is_ranked_whole(lake):
    days = [f"20{year}-{month:02}-15" for year in range(10, 20) for month in range(1, 13)]
    lake.deliver(HOUR, [post(day, "ann", f"{day}T10:00:00.000Z") for day in days])
    lake.rank(interval_start="2010-01-01T00:00:00Z", interval_end="2020-01-01T00:00:00Z")
    assert len(lake.results.rows("day")) == len(days)
    assert _ranks(lake) == [(1, "ann", len(days), 1)]


def test_networks_reposts_and_order_can_be_chosen(lake):
    lake.deliver(
        HOUR,
        [
            post("1", "ann", "2026-11-23T10:00:00.000Z", repost_of="9"),
            post("2", "ann", "2026-11-23T12:00:00.000Z"),
            post("3", "ann", "2026-11-23T14:00:00.000Z"),
            post("4", "bob", "2026-11-23T10:00:00.000Z"),
            post("5", "bob", "2026-11-23T10:00:01.000Z"),
            post("6", "eve", "2026-11-23T10:00:01.000Z", network="bluesky"),
        ],
    )
    lake.rank(**DAY)
    assert _ranks(lake) == [(1, "ann", 3, 1), (2, "bob", 2, 1), (3, "eve", 1, 1)]
    lake.rank(**DAY, include_reposts=False)
    assert [row[:3] for row in _ranks(lake)] == [(1, "ann", 2), (2, "bob", 2), (3, "eve", 1)]
    lake.rank(**DAY, order="peak_60s", networks=["x"])
    assert [row[:3] for row in _ranks(lake)] == [(1, "bob", 2), (2, "ann", 3)]
    lake.rank(**DAY, top=1)
    assert _ranks(lake) == [(1, "ann", 3, 2)]


def test_too_many_unusable_lines_stop_the_ranking(lake):
    lake.deliver(HOUR, [post("1", "ann", "2026-11-23T10:00:00.000Z"), post("2", "ann", "at noon")])
    with pytest.raises(TooManyUnusable, match=r"1 of 2 arrived lines are unusable"):
        lake.rank([HOUR])
    assert lake.catalogue.partitions("post_versions") == []


def _author_posts(lake) -> dict[str, int]:
    rows = lake.rows("select author_id, count(*) as posts from posts group by author_id")
    return {row["author_id"]: int(row["posts"]) for row in rows}


def test_the_first_run_after_days_of_downtime_ranks_what_arrived_meanwhile(lake):
    lake.deliver("2026-11-20T01", [post("1", "ann", "2026-11-20T01:00:00.000Z")])
    lake.rank(["2026-11-20T01"])
    for day in (21, 22, 23):  # no scheduler ran; it makes one run, of the newest hour, once it is back
        lake.deliver(f"2026-11-{day}T07", [post(f"2{day}", "bob", f"2026-11-{day}T07:00:00.000Z")])
    lake.deliver("2026-11-24T04", [post("3", "cem", "2026-11-24T04:00:00.000Z")])
    lake.rank(["2026-11-24T04"])
    assert _author_posts(lake) == {"ann": 1, "bob": 3, "cem": 1}
    days = lake.rows("select window_start from author_ranking where granularity = 'day' and author_id = 'bob'")
    assert len(days) == 3
    assert lake.rank(["2026-11-24T04"]) is None, "and only once"


def test_the_run_after_one_that_failed_half_way_ranks_its_hour(lake):
    lake.deliver("2026-11-24T02", [post("1", "ann", "2026-11-24T02:00:00.000Z")])
    lake.rank(["2026-11-24T02"])
    lake.deliver("2026-11-24T03", [post("2", "bob", "2026-11-24T03:00:00.000Z")])
    failed = lake.acts(lake.ranking("failed", ["2026-11-24T03"]))
    for _ in range(4):
        next(failed)
    failed.close()
    lake.over.add("failed")
    lake.deliver("2026-11-24T04", [post("3", "cem", "2026-11-24T04:00:00.000Z")])
    lake.rank(["2026-11-24T04"])
    assert _author_posts(lake) == {"ann": 1, "bob": 1, "cem": 1}
    ranked = lake.rows("select author_id from author_ranking where granularity = 'hour' order by author_id")
    assert [row["author_id"] for row in ranked] == ["ann", "bob", "cem"]


def test_the_newest_run_ranks_a_missed_hour_before_one_that_was_ingested(lake):
    for hour in ("2026-11-21T01", "2026-11-21T02", "2026-11-21T03"):
        lake.deliver(hour, [post(hour, "ann", f"{hour}:00:00.000Z")])
    lake.rank(["2026-11-21T01"])
    lake.rank(["2026-11-21T03"])  # the run that was due when the scheduler came back; that of 02 had failed
    assert _author_posts(lake) == {"ann": 2}
    lake.deliver("2026-11-24T04", [post("4", "ann", "2026-11-24T04:00:00.000Z")])
    lake.rank(["2026-11-24T04"])
    assert _author_posts(lake) == {"ann": 4}
    ranked = lake.rows("select window_start from author_ranking where granularity = 'hour' order by window_start")
    assert [row["window_start"][:13] for row in ranked] == [
        *(f"2026-11-21 0{hour}" for hour in (1, 2, 3)),
        "2026-11-24 04",
    ]


def test_the_newest_run_looks_two_weeks_back_to_the_hour(lake):
    for hour in ("2026-11-10T03", "2026-11-10T04"):
        lake.deliver(hour, [post(hour, "ann", f"{hour}:00:00.000Z")])
    assert list(lake.ranking("newest", ["2026-11-24T04"]).arrived()) == ["2026-11-10T04"]


def test_an_hour_without_posts_is_ingested_once(lake):
    line = {
        "kind": "log",
        "network": "logs:sim",
        "post_id": "1",
        "posted_at": "2026-11-24T04:00:00.000Z",
        "host": "::1",
    }
    lake.deliver("2026-11-24T04", [line])
    lake.deliver(OPEN, [post("5", "ann", "2026-11-24T05:00:00.000Z")])
    assert list(lake.ranking("newest", [OPEN]).arrived()) == ["2026-11-24T04", OPEN]
    lake.rank([OPEN])
    assert lake.rank([OPEN]) is None
    assert lake.rank() is None, "nor does a run by hand ingest it again"
    assert _author_posts(lake) == {"ann": 1}
    lake.deliver("2026-11-24T04", [post("4", "bob", "2026-11-24T04:00:00.000Z")], name="later")
    lake.rank([OPEN])
    assert _author_posts(lake) == {"ann": 1, "bob": 1}


def test_a_run_of_the_past_leaves_the_hours_before_it_to_others(lake):
    for hour in ("2026-11-23T01", "2026-11-23T02"):
        lake.deliver(hour, [post(hour, "ann", f"{hour}:00:00.000Z")])
    lake.rank(["2026-11-23T02"])
    assert _author_posts(lake) == {"ann": 1}


def test_a_post_that_is_a_year_late_ranks_its_own_windows_and_no_others(lake):
    lake.deliver(HOUR, [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank([HOUR])
    lake.deliver(NEXT, [post("2", "bob", "2025-11-23T10:00:00.000Z")])
    lake.rank([NEXT])
    days = lake.rows(
        "select window_start, author_id, revision from author_ranking where granularity = 'day' order by window_start"
    )
    assert [(row["window_start"][:10], row["author_id"], row["revision"]) for row in days] == [
        ("2025-11-23", "bob", "1"),
        ("2026-11-23", "ann", "1"),
    ]


def test_what_two_collectors_of_different_state_read_counts_once(lake):
    shared = [post(str(number), "ann", f"2026-11-23T10:00:0{number}.000Z") for number in range(5)]
    lake.deliver(HOUR, [{**event, "collector": "a"} for event in shared[:4]], name="a")
    lake.deliver(HOUR, [{**event, "collector": "b"} for event in shared[2:]], name="b")
    lake.rank([HOUR])
    assert _author_posts(lake) == {"ann": 5}
    lake.deliver(NEXT, [{**event, "collector": "b"} for event in shared], name="b")  # it lost its state
    lake.rank([NEXT])
    assert _author_posts(lake) == {"ann": 5}
    assert lake.results.rows("all", lake.rank(**DAY)["run"])[0]["posts"] == 5
