"""Small files become few, old rankings one partition a day, what its zone keeps no longer is gone; what it cost."""

import itertools
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow.parquet as parquet
import pytest

from postrank.aws.athena import Athena, signed
from postrank.delivery.window_check import WindowsDiffer
from postrank.lake.costs import Costs, Price
from tests.support.lake.ranked_lake import delete, post, put
from tests.support.lake.upkeep import compact, compaction, comparison, maintenance, redact, settle

HOURS = [f"2026-11-24T{hour:02}" for hour in range(1, 5)]


def _answer(lake) -> list[dict]:
    return lake.rows("select * from author_ranking order by granularity, window_start, window_end, rank")


def _shatter(lake, relation: str, parts: int) -> None:
    """Write the files of every partition as several, as a busy Athena does."""
    s3 = lake.client("s3")
    for partition in lake.catalogue.partitions(relation):
        bucket, prefix = partition.location.removeprefix("s3://").split("/", 1)
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            table = parquet.read_table(BytesIO(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()))
            for number in range(parts):
                body = BytesIO()
                parquet.write_table(table.slice(number, 1) if number + 1 < parts else table.slice(number), body)
                s3.put_object(Bucket=bucket, Key=f"{entry['Key']}-{number}", Body=body.getvalue())
            s3.delete_object(Bucket=bucket, Key=entry["Key"])


def _files(lake, relation: str) -> list[int]:
    s3, found = lake.client("s3"), []
    for partition in lake.catalogue.partitions(relation):
        bucket, prefix = partition.location.removeprefix("s3://").split("/", 1)
        found.append(s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix.rstrip('/')}/")["KeyCount"])
    return found


@pytest.fixture
def scattered(lake):
    """A lake whose partitions lie in six files each."""
    lake.deliver(HOURS[0], [post(str(n), f"author {n % 3}", f"2026-11-22T10:0{n % 5}:00.000Z") for n in range(9)])
    lake.deliver(HOURS[1], [delete("3")])
    lake.rank()
    for relation in ("post_versions", "author_minutes"):
        _shatter(lake, relation, parts=6)
    return lake


def test_partitions_of_many_small_files_become_one_file_and_no_row_changes(scattered):
    before = [
        scattered.rows(f"select * from {name} order by 1, 2, 3, 5") for name in ("post_versions", "author_minutes")
    ]
    assert min(_files(scattered, "author_minutes")) > 4
    notes = [one.notes for one in scattered.catalogue.partitions("post_versions")]
    assert compact(scattered) == len(_files(scattered, "post_versions")) + len(_files(scattered, "author_minutes"))
    assert {*_files(scattered, "post_versions"), *_files(scattered, "author_minutes")} == {1}
    after = [
        scattered.rows(f"select * from {name} order by 1, 2, 3, 5") for name in ("post_versions", "author_minutes")
    ]
    assert after == before
    assert [one.notes for one in scattered.catalogue.partitions("post_versions")] == notes
    assert compact(scattered, "the next day") == 0
    assert scattered.rank() is None  # nothing looks as if it had to be ingested again


def test_a_compaction_that_lost_rows_is_not_pointed_at(scattered):
    work = compaction(scattered)
    planned = work.plan()
    scattered.write("maintenance/compacted.sql", planned)
    s3 = scattered.client("s3")
    (one, *_) = scattered.catalogue.partitions(planned[0]["table"])
    bucket, prefix = one.location.removeprefix("s3://").split("/", 1)
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
    with pytest.raises(Exception, match="the check of post_versions found 1 rows"):
        work.point(planned)
    assert min(_files(scattered, "post_versions")) > 1


def test_a_partition_that_was_replaced_meanwhile_is_left_alone(scattered):
    work = compaction(scattered)
    planned = work.plan()
    scattered.write("maintenance/compacted.sql", planned)
    (days,) = scattered.catalogue.partitions("author_minutes")
    scattered.catalogue.point("author_minutes", [type(days)(days.values, f"{days.location}elsewhere/")])
    work.point(planned)
    (now,) = scattered.catalogue.partitions("author_minutes")
    assert now.location.endswith("elsewhere/")


def test_the_rankings_of_an_old_day_become_one_partition_without_superseded_revisions(lake):
    for number, hour in enumerate(HOURS):
        lake.deliver(hour, [post(str(number), "ann", f"2026-11-23T10:0{number}:00.000Z")])
        lake.rank([hour])
    before = _answer(lake)
    assert len(lake.catalogue.partitions("author_ranking_revisions", "window_date = '2026-11-23'")) == 4
    assert settle(lake) == 4
    (one,) = lake.catalogue.partitions("author_ranking_revisions", "window_date = '2026-11-23'")
    assert one.values[1].startswith("settled-")
    assert _same(_answer(lake)) == _same(before)
    assert lake.rows("select distinct revision from author_ranking_revisions where granularity = 'day'") == [
        {"revision": "4"}
    ]
    lake.deliver("2026-11-24T06", [post("late", "bob", "2026-11-23T10:00:30.000Z")])
    lake.rank(["2026-11-24T06"])
    found = lake.rows("select author_id, posts, revision from author_ranking where granularity = 'day' order by rank")
    assert [tuple(row.values()) for row in found] == [("ann", "4", "5"), ("bob", "1", "5")]
    assert settle(lake, "the next day") == 2


def test_while_a_day_is_gathered_every_reader_sees_each_row_once(lake):
    for number, hour in enumerate(HOURS[:2]):
        lake.deliver(hour, [post(str(number), "ann", f"2026-11-23T10:0{number}:00.000Z")])
        lake.rank([hour])
    before = _answer(lake)
    work = compaction(lake)
    planned = work.settle(timedelta(days=1))
    lake.write("maintenance/settled_ranking.sql", planned)
    sources = {**planned[0], "runs": {day: [] for day in planned[0]["days"]}}  # killed before it forgot any
    table = planned[0]["table"]
    kept = lake.client("glue").get_table(DatabaseName=lake.names.database, Name=table)["Table"]
    work.point_settled([sources])
    assert _same(_answer(lake)) == _same(before)
    assert kept  # and the next run gathers what is there, once
    assert settle(lake, "the next day") == 3
    assert _same(_answer(lake)) == _same(before)


def _same(rows: list[dict]) -> list[dict]:
    """Rows without the name of the run that they lie in."""
    return [{name: value for name, value in row.items() if name != "run"} for row in rows]


def test_what_its_zone_keeps_no_longer_is_deleted_but_never_the_newest_export(lake):
    lake.deliver(HOURS[0], [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    older = lake.rank(run_id="older", interval_start="2026-11-23T00:00:00Z")
    newer = lake.rank(run_id="newer", interval_start="2026-11-23T00:00:00Z")
    s3 = lake.client("s3")
    assert maintenance(lake, as_of=datetime.now(UTC)).expire() == {"exports": 0, "raw": 0}
    s3.delete_object(Bucket=lake.names.buckets["raw"], Key="raw/posts/dt=2026-11-24/hour=01/object.ndjson.gz")
    gone = maintenance(lake, as_of=datetime.now(UTC) + timedelta(days=3650)).expire()
    assert gone["exports"] == len(older["files"]) + 2  # the list of windows, and the manifest
    assert gone["raw"] == 1
    assert lake.catalogue.partitions("raw_posts") == []
    assert [lake.results.body(one["key"]) for one in newer["files"]]
    assert lake.results.manifest()["run"] == newer["run"]


def test_the_cost_of_a_day_is_told_by_dag_run_and_relation(lake):
    lake.deliver(HOURS[0], [post("1", "ann", "2026-11-23T10:00:00.000Z")])
    lake.rank()
    asking = Athena(lake.client("athena"), lake.names.database, lake.names.workgroup, 0.02, "rank_authors/run-1")
    asking.run("-- survey: one row\nselect count(*) from posts")
    price = Price("USD", 5.0, 10 << 20, 1 << 20)
    report = Costs(lake.client("athena"), lake.names.workgroup, price).of_day(datetime.now(UTC).date())
    (mine,) = [one for one in report["by_run"] if one["run"] == "run-1"]
    assert mine["dag_id"] == "rank_authors"
    assert mine["statements"] == 1
    assert 0 < mine["scanned_bytes"] < mine["billed_bytes"] == 10 << 20
    assert mine["cost"] == round(10 / 1024 / 1024 * 5, 6)
    assert {"survey", "author_minutes", "post_versions"} <= {one["relation"] for one in report["by_relation"]}
    assert report["statements"] == sum(one["statements"] for one in report["by_dag"])
    assert report["billed_bytes"] == sum(one["billed_bytes"] for one in report["by_run"])
    assert Costs(lake.client("athena"), lake.names.workgroup, price).of_day(date(2020, 1, 1))["statements"] == 0


def test_the_price_list_bills_as_athena_does():
    """By "Amazon Athena Pricing": by the megabyte, ten at least; DDL and failed statements are free."""
    price = Price.of_list()
    assert price.billed(1, "SUCCEEDED", "DML") == 10 << 20
    assert price.billed((10 << 20) + 1, "SUCCEEDED", "DML") == 11 << 20
    assert price.billed(5 << 30, "FAILED", "DML") == 0
    assert price.billed(20 << 20, "CANCELLED", "DML") == 20 << 20
    assert price.billed(0, "CANCELLED", "DML") == 0
    assert price.billed(0, "SUCCEEDED", "DDL") == 0
    assert price.of(1 << 40) == price.per_tebibyte_scanned
    assert signed("select 1\n", "dag/run") == "select 1\n-- asked by dag/run"


def _windows(lake, hour: str, counts: list[tuple[Any, ...]]) -> None:
    """Deliver final windows (author, start of the minute, posts, perhaps the collector) into an arrival hour."""
    window = {"network": "x", "kind": "tumbling", "final": True}
    keys = ("author_id", "window_start", "posts", "collector")
    rows = [{**window, **dict(zip(keys, values, strict=False))} for values in counts]
    put(lake, "raw_author_windows", hour, rows)


@pytest.fixture
def counted(lake):
    """Two authors' posts of an hour, told by the stream as they were; a later window says that the hour is closed."""
    lake.deliver(
        HOURS[0],
        [
            post("1", "ann", "2026-11-24T00:10:00.000Z"),
            post("2", "ann", "2026-11-24T00:10:30.000Z"),
            post("3", "bob", "2026-11-24T00:10:30.000Z"),
        ],
    )
    lake.deliver(HOURS[2], [post("4", "bob", "2026-11-24T03:00:00.000Z")])
    lake.rank()
    later = ("bob", "2026-11-24T03:00:00.000Z", 1)
    _windows(lake, HOURS[0], [("ann", "2026-11-24T00:10:00.000Z", 2), ("bob", "2026-11-24T00:10:00.000Z", 1), later])
    return lake


NOW = datetime(2026, 11, 24, 5, 30, tzinfo=UTC)


def test_minutes_that_stream_and_lake_count_alike_are_compared_once(counted):
    assert comparison(counted).hold_new(NOW).endswith("equal the lake's")
    assert "were the lake's" in comparison(counted).hold_new(NOW)


@pytest.mark.parametrize(("author", "posts"), [("ann", 3), ("ann", 1), ("eve", 1)], ids=["more", "less", "nobody"])
def test_a_minute_that_differs_fails_with_both_numbers(lake, author, posts):
    lake.deliver(HOURS[0], [post("1", "ann", "2026-11-24T00:10:00.000Z"), post("2", "ann", "2026-11-24T00:10:30.000Z")])
    lake.deliver(HOURS[2], [post("4", "bob", "2026-11-24T03:00:00.000Z")])
    lake.rank()
    told = [(author, "2026-11-24T00:10:00.000Z", posts), ("bob", "2026-11-24T03:00:00.000Z", 1)]
    _windows(lake, HOURS[0], told)
    for _ in itertools.repeat(None, 2):  # and again, until somebody has seen to it
        with pytest.raises(WindowsDiffer, match=r"hop windows: .* stream_posts \d, lake_posts \d"):
            comparison(lake).hold_new(NOW)


def test_what_was_redacted_and_what_a_backfill_brought_is_no_difference(counted):
    found_later = post("9", "cat", "2026-11-24T00:10:59.000Z", collector="streamer-1-backfill")
    counted.deliver(HOURS[1], [delete("2"), found_later])
    counted.rank()
    redact(counted)
    assert comparison(counted).hold_new(NOW).endswith("equal the lake's")


MINUTE = "2026-11-24T00:10:00.000Z"


def _seen(number: int, collector: str) -> dict:
    return post(f"p{number}", "ann", f"2026-11-24T00:10:{number:02}.000Z", collector=collector)


def _collected(lake, hours: list[list[dict]], counts: dict[str, int]) -> Any:
    """What several collectors sent of one author's minute, ranked, and the windows that each of them counted."""
    for hour, posts in zip(HOURS, hours, strict=False):
        lake.deliver(hour, posts)
    lake.deliver(HOURS[2], [post("later", "bob", "2026-11-24T03:00:00.000Z")])
    lake.rank()
    _windows(
        lake,
        HOURS[0],
        [
            *(("ann", MINUTE, posts, collector) for collector, posts in counts.items()),
            ("bob", "2026-11-24T03:00:00.000Z", 1),
        ],
    )
    return comparison(lake, "a", "b")


# What collectors sent in the first and the second hour, and what their windows count.
OVERLAPS = {
    "split": ([[_seen(1, "a"), _seen(2, "a"), _seen(3, "b")]], {"a": 2, "b": 1}),
    "redundant": ([[_seen(n, collector) for n in (1, 2) for collector in "ab"]], {"a": 2, "b": 2}),
    "overlapping": ([[_seen(1, "a"), _seen(2, "a"), _seen(2, "b"), _seen(3, "b")]], {"a": 2, "b": 2}),
    "in two hours": ([[_seen(1, "a"), _seen(2, "a")], [_seen(2, "b"), _seen(3, "b")]], {"a": 2, "b": 2}),
    "beside main": ([[_seen(1, "i-012"), _seen(1, "b"), _seen(2, "b")]], {"i-012": 1, "b": 2}),
    "main moved": ([[_seen(1, "i-012"), _seen(2, "i-345")]], {"i-345": 2}),
    "repeated": ([[_seen(1, "a"), _seen(1, "a"), _seen(2, "a")]], {"a": 2}),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_collectors_that_overlap_are_each_held_to_what_they_saw(lake, name):
    assert _collected(lake, *OVERLAPS[name]).hold_new(NOW).endswith("equal the lake's")


def test_a_post_that_two_collectors_read_is_one_post_in_every_reader(lake):
    _collected(lake, *OVERLAPS["overlapping"])
    assert lake.rows("select count(*) as n from posts where author_id = 'ann'")[0]["n"] == "3"
    ranked = lake.rows("select posts from author_ranking where author_id = 'ann' and granularity = 'hour'")
    assert [row["posts"] for row in ranked] == ["3"]


@pytest.mark.parametrize(
    "counts",
    [{"a": 2}, {"a": 3, "b": 0}, {"a": 1, "b": 2}, {"a": 4, "b": 1}, {"a": 2, "b": 3}],
    ids=["silent", "shifted", "a less, b more", "a more", "b more"],
)
def test_what_one_of_overlapping_collectors_lost_or_invented_is_a_difference(lake, counts):
    hours = [[_seen(1, "a"), _seen(2, "a"), _seen(3, "b")]]
    with pytest.raises(WindowsDiffer, match="author_id ann"):
        _collected(lake, hours, counts).hold_new(NOW)


def test_what_both_collectors_read_and_an_author_deleted_is_no_difference(lake):
    compared = _collected(lake, *OVERLAPS["redundant"])
    lake.deliver(HOURS[1], [delete("p2")])
    lake.rank()
    redact(lake)
    assert compared.hold_new(NOW).endswith("equal the lake's")
