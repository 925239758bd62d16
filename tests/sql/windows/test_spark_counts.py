"""Spark's windows in the lake: held to the lake's minutes, and listed beside the streamer's."""

from datetime import UTC, datetime
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from postrank.delivery.window_check import WindowsDiffer
from tests.support.lake.ranked_lake import delete, post, put, render
from tests.support.lake.upkeep import redact, spark_comparison

HOURS = [f"2026-11-24T{hour:02}" for hour in range(1, 5)]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = datetime(2026, 11, 24, 0, 10)  # noqa: DTZ001 - as Spark writes times into Parquet
LATER = datetime(2026, 11, 24, 3, 0)  # noqa: DTZ001


def spark_windows(lake, batch: int, counts: list[tuple[str, datetime, int]]) -> None:
    """Write the final windows (author, start of the minute, posts) of a batch, as Spark does."""
    rows = [
        {
            "network": "x",
            "author_id": author,
            "author_handle": author,
            "window_start": start,
            "window_end": start,
            "kind": "tumbling",
            "posts": posts,
        }
        for author, start, posts in counts
    ]
    body = BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), body, use_deprecated_int96_timestamps=True)
    key = f"stream/author_windows/dt=2026-11-24/query=author_windows/batch={batch}/part.snappy.parquet"
    lake.client("s3").put_object(Bucket=lake.names.buckets["lake"], Key=key, Body=body.getvalue())


@pytest.fixture
def counted(lake):
    """Two authors' posts of an hour, of which one came late, and Spark's windows of them."""
    early = [post("1", "ann", "2026-11-24T00:10:00.000Z"), post("3", "bob", "2026-11-24T00:10:30.000Z")]
    lake.deliver(HOURS[0], [*early, post("2", "ann", "2026-11-24T00:10:30.000Z")])
    lake.deliver(HOURS[2], [post("4", "bob", "2026-11-24T03:00:00.000Z")])
    lake.rank()
    spark_windows(lake, 1, [("ann", MINUTE, 1), ("bob", MINUTE, 1)])
    spark_windows(lake, 2, [("ann", MINUTE, 2), ("bob", LATER, 1)])
    return lake


def test_minutes_that_spark_and_lake_count_alike_are_compared_once(counted):
    assert spark_comparison(counted).hold_new(NOW).endswith("equal the lake's")
    assert "were the lake's" in spark_comparison(counted).hold_new(NOW)


@pytest.mark.parametrize(("author", "posts"), [("ann", 3), ("eve", 1)], ids=["more", "nobody"])
def test_a_minute_of_spark_that_differs_fails_with_both_numbers(counted, author, posts):
    spark_windows(counted, 3, [(author, MINUTE, posts)])
    with pytest.raises(WindowsDiffer, match=rf"hop Spark's windows: .* spark_posts {posts}, lake_posts \d"):
        spark_comparison(counted).hold_new(NOW)


def test_a_post_that_spark_did_not_count_fails_the_comparison(counted):
    counted.deliver(HOURS[1], [post("9", "cat", "2026-11-24T00:10:59.000Z")])
    counted.rank()
    with pytest.raises(WindowsDiffer, match=r"author_id cat, .* spark_posts 0, lake_posts 1"):
        spark_comparison(counted).hold_new(NOW)


def test_what_was_redacted_and_what_a_backfill_brought_is_no_difference_to_spark(counted):
    found_later = post("9", "cat", "2026-11-24T00:10:59.000Z", collector="streamer-1-backfill")
    counted.deliver(HOURS[1], [delete("2"), found_later])
    counted.rank()
    redact(counted)
    assert spark_comparison(counted).hold_new(NOW).endswith("equal the lake's")


def test_what_each_engine_counted_is_listed_side_by_side(counted):
    window = {"network": "x", "kind": "tumbling", "final": True, "author_id": "ann", "collector": "a"}
    told = {**window, "window_start": "2026-11-24T00:10:00.000Z"}
    put(counted, "raw_author_windows", HOURS[0], [{**told, "posts": 1}, {**told, "posts": 2}])
    put(counted, "raw_author_windows", HOURS[1], [{**told, "collector": "b", "posts": 4}])
    rows = counted.rows(render("queries/windows_by_engine.sql"))
    assert [(row["engine"], int(row["minutes"]), int(row["posts"])) for row in rows] == [
        ("lake", 3, 4),
        ("spark", 3, 4),
        ("streamer", 2, 6),
    ]
