"""Observations of counts: none overwrites another, the newest is read, those of deleted posts are gone."""

from tests.support.lake.ranked_lake import Lake, author_delete, delete, metrics, post
from tests.support.lake.upkeep import compact, redact, redact_undelivered

HOURS = ("2026-11-24T01", "2026-11-24T02", "2026-11-24T03")
EARLY, LATE, LATER = (f"2026-11-24T0{hour}:00:00.000Z" for hour in (1, 2, 3))


def _counts(lake: Lake, view: str) -> list[tuple]:
    rows = lake.rows(
        "select post_id, date_format(observed_at, '%H') as hour, like_count, follower_count"
        f" from {view} order by post_id, observed_at"
    )
    return [tuple(row.values()) for row in rows]


def test_observations_stay_a_series_in_whatever_order_they_come_and_the_newest_is_read(lake):
    lake.deliver(HOURS[0], [metrics("1", LATE, like_count=5), metrics("1", EARLY, like_count=2)])
    lake.rank([HOURS[0]])
    again = metrics("1", LATE, like_count=5, received_at="2026-11-24T06:00:00.000Z")
    ann = metrics("author:7", EARLY, author_id="7", follower_count=10)
    lake.deliver(HOURS[1], [again, metrics("1", "2026-11-24T00:00:00.000Z", like_count=1), ann])
    lake.rank([HOURS[1]])
    series = [("1", "00", "1", None), ("1", "01", "2", None), ("1", "02", "5", None), ("author:7", "01", None, "10")]
    assert _counts(lake, "metrics_series") == series
    assert _counts(lake, "metrics") == series[2:]
    assert lake.rows("select is_author from metrics order by post_id") == [
        {"is_author": "false"},
        {"is_author": "true"},
    ]
    compact(lake, many=0)
    assert _counts(lake, "metrics_series") == series
    assert lake.rows("select count(*) as posts from posts") == [{"posts": "0"}]


def test_an_observation_changes_no_ranking(lake):
    lake.deliver(HOURS[0], [post("1", "ann", "2026-11-23T10:00:00.000Z"), metrics("1", EARLY, like_count=2)])
    manifest = lake.rank([HOURS[0]])
    assert (manifest["post_lines"], manifest["posts"], manifest["duplicates"]) == (1, 1, 0)
    lake.deliver(HOURS[1], [metrics("1", LATE, like_count=3)])
    lake.rank([HOURS[1]])
    ranked = lake.rows("select posts, revision from author_ranking where granularity = 'day'")
    assert ranked == [{"posts": "1", "revision": "1"}]


def test_observations_of_a_deleted_post_and_of_an_author_who_left_are_gone_everywhere(lake):
    stays = [metrics("2", EARLY, like_count=3), metrics("author:8", LATER, author_id="8", follower_count=1)]
    goes = [
        metrics("1", EARLY, author_id="9", like_count=2),
        metrics("1", LATE, author_id="9", like_count=3),
        metrics("3", EARLY, author_id="8", like_count=1),
        metrics("author:8", EARLY, author_id="8", follower_count=2),
    ]
    lake.deliver(HOURS[0], [*stays, *goes])
    lake.rank([HOURS[0]])
    lake.deliver(HOURS[1], [delete("1"), author_delete("8", LATE)])
    lake.rank([HOURS[1]])
    left = [("2", "01", "3", None), ("author:8", "03", None, "1")]
    assert _counts(lake, "metrics_series") == left
    redact(lake)
    redact_undelivered(lake)
    assert _counts(lake, "metrics_series") == left
    held = lake.rows("select post_id from post_versions where posted_date = 'metrics' order by post_id")
    assert [row["post_id"] for row in held] == ["2", "author:8"]
    raw = lake.rows("select kind, post_id, like_count from raw_posts where kind <> 'delete' order by kind, post_id")
    redacted = [row["post_id"] for row in raw if row["kind"] == "redacted_metrics"]
    assert sorted(set(redacted)) == ["1", "3", "author:8"]
    assert [row["like_count"] for row in raw if row["kind"] == "redacted_metrics"] == [None] * len(redacted)
