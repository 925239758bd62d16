"""A small lake in which every statement of `include/sql` has something to do."""

import contextlib
import gzip
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pyarrow as pa
from pyarrow import parquet

from postrank.aws.glue import Partition
from postrank.aws.tables import prefix
from postrank.delivery.window_check import WindowsDiffer
from tests.oracle.recorded import SQL, RecordedLake
from tests.support.lake.ranked_lake import author_delete, delete, like, metrics, post, render, repost
from tests.support.lake.upkeep import compact, comparison, redact, settle, spark_comparison

DAY = "2026-11-23"
HOUR = datetime(2026, 11, 23, 10, tzinfo=UTC)


def play(lake: RecordedLake) -> None:
    """Rank what arrives in three hours, by hand and on schedule, then trends, a comparison and maintenance."""
    lake.deliver("2026-11-24T01", [*_first(), *_reactions(), *_requests()])
    lake.rank(["2026-11-24T01"])
    lake.deliver("2026-11-24T02", _corrections())
    lake.rank(["2026-11-24T02"])
    lake.deliver("2026-11-24T03", [post("l2", "late", f"{DAY}T10:59:59.000Z")])
    lake.rank(interval_start=f"{DAY}T00:00:00Z", interval_end="2026-11-25T00:00:00Z")
    lake.deliver("2026-11-24T04", [post("l3", "late", f"{DAY}T10:59:59.500Z")])  # which stays owed
    lake.rank(
        interval_start=f"{DAY}T09:30:00Z", interval_end=f"{DAY}T11:00:00Z", networks=["x"], order="peak_60s", top=2
    )
    interval = {"interval_start": f"{DAY}T00:00:00Z", "interval_end": "2026-11-24T00:00:00Z"}
    lake.rank(**interval, metric="engagement")
    _keep_originals(lake)
    _stream_windows(lake)
    _spark_windows(lake)
    lake.record_views()
    _trends(lake)
    _note(lake)
    for path in sorted(SQL.glob("queries/*.sql")):
        lake.athena.run(render(f"queries/{path.name}"))
    _labels(lake)
    _maintain(lake)


def _labels(lake: RecordedLake) -> None:
    """Everything that was posted and deleted so far, as labels and words read it."""
    hours = [f"2026-11-24T0{hour}" for hour in range(1, 5)]
    lake.athena.run(render("labels/arrived_posts.sql", days=["2026-11-22", DAY, "2026-11-24"], arrival_hours=hours))
    lake.athena.run(render("labels/day_texts.sql", day=DAY))
    lake.athena.run(render("labels/deleted_posts.sql", first_hour=hours[1]))
    lake.athena.run(render("labels/reduced_days.sql", days=[DAY]))


def _note(lake: RecordedLake) -> None:
    """Rows of the ledgers: a gap that was recovered and one that was not, two reasons, a hop that told twice."""
    gap = {"source": "x", "gap_from": f"{DAY}T10:00:00.000Z", "gap_to": f"{DAY}T10:05:00.000Z", "reason": "stalled"}
    hop = {"collector": "a", "hop": "sink", "received": 9, "delivered": 4, "rejected": 0, "ignored": 0}
    reject = {"source": "a.ndjson", "reason": "no JSON", "line": '{"'}
    ledgers = {
        "gaps": [gap, {**gap, "recovered_by": "search"}, {**gap, "source": "bluesky"}],
        "rejects": [reject, {**reject, "line": "☂"}, {**reject, "reason": "no text"}],
        "hop_counts": [{**hop, "spooled": 5}, {**hop, "delivered": 9, "noted_at": f"{DAY}T11:00:01.000Z"}],
    }
    for kind, rows in ledgers.items():
        lines = "".join(json.dumps({"noted_at": f"{DAY}T11:00:00.000Z", **row}) + "\n" for row in rows)
        key = f"{lake.names.keys['ledgers']}{kind}/dt={DAY}/a.ndjson"
        lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=lines.encode())


def _keep_originals(lake: RecordedLake) -> None:
    """Original JSON of posts, one of them deleted, one seen twice; and a place that X wants removed."""
    row = {"kind": "raw", "network": "x", "author_id": "ann", "posted_at": f"{DAY}T10:59:50.500Z", "collector": "a"}
    rows = [
        {**row, "post_id": "b1", "seen_at": f"{DAY}T11:00:01.000Z", "json": '{"text": "it\'s \\n\\"quoted\\" ☂"}'},
        {**row, "post_id": "b1", "seen_at": f"{DAY}T11:00:02.000Z", "json": '{"text": "it\'s \\n\\"quoted\\" ☂"}'},
        {**row, "post_id": "b5", "seen_at": f"{DAY}T11:00:01.000Z", "json": "{}"},
    ]
    notice = {"collector": "a", "source": "x", "kind": "scrub_geo", "post_id": "b1", "about": "place of the post"}
    for key, written in (("raw/json/", rows), (f"{lake.names.keys['ledgers']}notices/", [notice])):
        body = "".join(json.dumps(each) + "\n" for each in written).encode()
        lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=f"{key}dt={DAY}/a.ndjson", Body=body)


def _first() -> list[dict]:
    burst = [post(f"b{n}", "ann", f"{DAY}T10:59:{50 + n}.500Z", hashtags=["Rain", "Über"]) for n in range(6)]
    spread = [
        post(f"s{n}", f"author {n % 3}", f"{DAY}T{8 + n % 4:02}:0{n}:00.000Z", hashtags=["news"]) for n in range(9)
    ]
    strange = [
        post("q1", "o'neil", f"{DAY}T23:59:59.999Z", text='it\'s "quoted", \\ and\nbroken', author_handle=None),
        post("q2", "ÄÖ ☂", f"{DAY}T10:00:00.000Z", network="mastodon:a.example", hashtags=["☂", "", "RAIN"]),
        post(
            "q3", "ann", "2026-11-24T00:00:00.000Z", repost_of="b1", mentions=["bob"], urls=["https://a.example/?q=1,2"]
        ),
        {**post("q4", "zoe", f"{DAY}T10:00:00.000Z"), "posted_at": "yesterday"},
        *[post("d1", "bob", f"{DAY}T10:00:30.000Z")] * 100,  # so that the line before is less than one in a hundred
    ]
    return [*burst, *spread, *strange, *(post(f"f{n}", "fay", f"{DAY}T10:30:0{n}.000Z") for n in range(9))]


def _reactions() -> list[dict]:
    """Likes, one of them withdrawn later; two observations of a post; a repost and a quote of the repost."""
    return [
        like("k1", "cem", f"{DAY}T11:00:00.000Z", "b1", "ann"),
        like("k2", "o'neil", f"{DAY}T11:00:01.000Z", "b1", "ann"),
        like("k3", "cem", f"{DAY}T11:00:02.000Z", "unseen", "eve"),
        metrics("b1", f"{DAY}T11:05:00.000Z", likes=2, reposts=1),
        metrics("b1", f"{DAY}T11:10:00.000Z", likes=1, views=40),
        repost("r1", "bob", f"{DAY}T11:20:00.000Z", "b1", "ann"),
        post("r2", "cem", f"{DAY}T11:30:00.000Z", repost_of="b1", repost_of_author="ann"),
        post("r3", "dan", f"{DAY}T11:40:00.000Z", quote_of="r2"),
    ]


def _requests() -> list[dict]:
    """Requests of two days: of two hosts, with and without errors, one delivered twice, one without a length."""
    usual = {"kind": "log", "network": "web", "method": "GET", "received_at": "2026-11-24T01:00:00.000Z"}
    requests = [
        ("l-1", f"{DAY}T10:00:00.000Z", "192.0.2.7", "/a?x=1", 200, 10),
        ("l-2", f"{DAY}T10:00:10.000Z", "192.0.2.8", "/a?x=2", 404, 0),
        ("l-3", f"{DAY}T10:01:10.000Z", "192.0.2.7", "/o'neil", 503, None),
        ("l-3", f"{DAY}T10:01:10.000Z", "192.0.2.7", "/o'neil", 503, None),
        ("l-4", "2026-11-24T00:02:00.000Z", "2001:db8::1", "/☂", 500, 5),
    ]
    names = ("post_id", "posted_at", "host", "path", "status", "bytes")
    return [{**usual, **dict(zip(names, request, strict=True))} for request in requests]


def _corrections() -> list[dict]:
    at = {"received_at": "2026-11-24T02:10:00.000Z"}
    return [
        post("b0", "ann", f"{DAY}T10:59:50.500Z", kind="edit", text="edited", **at),
        post("s1", "author 1", "2026-11-22T09:00:00.000Z", kind="edit", **at),  # moved to another day
        post("s2", "author 2", f"{DAY}T10:02:00.000Z", kind="edit", text="edited", versions=["s2", "s2b"], **at),
        post("s3", "author 0", f"{DAY}T11:03:00.000Z", kind="edit", text="edited", versions=["s3", "s3b"], **at),
        post("l1", "late", f"{DAY}T10:58:59.000Z", **at),
        delete("b5", **at),
        delete("s2b", **at),  # by a later version's id
        delete("never seen", **at),
        delete("k2", **at),
        author_delete("fay", f"{DAY}T10:30:04.000Z"),
    ]


def _trends(lake: RecordedLake) -> None:
    work = lake.trends("trends")
    assert work.begin()
    owed = work.owed()
    work.late(HOUR + timedelta(hours=1), owed)
    lake.write("marts/hashtag_ranking.sql", work.plan([HOUR], 10))
    lake.write("exports/trending_hashtags.sql", work.point([HOUR], owed))
    work.end()


def _maintain(lake: RecordedLake) -> None:
    day = HOUR.replace(hour=0)
    with contextlib.suppress(WindowsDiffer):
        comparison(lake).hold(day, day + timedelta(days=1), settled=day + timedelta(days=2))
    with contextlib.suppress(WindowsDiffer):
        spark_comparison(lake).hold(day, day + timedelta(days=1), settled=day + timedelta(days=2))
    interval = {"all_from": f"{DAY}T00:00:00Z", "all_to": "2026-11-24T00:00:00Z", "first_day": DAY, "last_day": DAY}
    scope = {"all_networks": True, "networks_ranked": [], "include_reposts": True, "limit": 10}
    scope |= {"has_tag": False, "tag": "", "arrival_from": "2026-11-22"}
    for name in ("author_lengths", "busiest", "cascades", "hashtag_days", "hashtags", "posts_by_type"):
        lake.athena.rows(render(f"exports/{name}.sql", **interval, **scope))
    lake.athena.rows(render("maintenance/deleted_among.sql", post_ids=["b5", "author:fay", "s1", "o'neil"]))
    lake.athena.rows(render("maintenance/scrubbed_among.sql", post_ids=["b1", "author:zoe"]))
    redact(lake)
    hours = {"arrival_hours": ["2026-11-24T01", "2026-11-24T02"], "days": [DAY]}
    owed = {"table": "owed", "location": f"s3://{lake.names.buckets['lake']}/staging/owed/"}
    lake.athena.run(render("maintenance/owed_minutes.sql", **owed, **hours))
    compact(lake, many=0)
    settle(lake, keep=timedelta(0))


def _stream_windows(lake: RecordedLake) -> None:
    """What the stream counted: right for one author, wrong for another, nothing of the rest."""
    window = {"network": "x", "kind": "tumbling", "final": True, "author_handle": None, "collector": "c"}
    sliding = {
        "window_start": f"{DAY}T10:59:00.000Z",
        "window_end": f"{DAY}T11:00:00.000Z",
        "emitted_at": f"{DAY}T11:00:01.000Z",
    }
    lines = [
        {**window, "author_id": "bob", "window_start": f"{DAY}T10:00:00.000Z", "posts": 1},
        {**window, "author_id": "ann", "window_start": f"{DAY}T10:59:00.000Z", "posts": 5},
        {**window, "author_id": "ann", "window_start": f"{DAY}T10:59:00.000Z", "posts": 4, "final": False},
        *(
            {**window, "kind": "sliding", "author_id": author, "posts": posts, **sliding}
            for author, posts in (("ann", 5), ("o'neil", 1))
        ),
    ]
    location = f"{prefix('raw_author_windows', lake.names)}dt={DAY}/hour=10/"
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    key = location.split("/", 3)[3] + "windows.ndjson.gz"
    lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=body)
    lake.catalogue.point("raw_author_windows", [Partition((DAY, "10"), location)])


def _spark_windows(lake: RecordedLake) -> None:
    """What Spark counted: right for one author, wrong for another."""
    window = {"network": "x", "kind": "tumbling", "author_handle": None}
    rows = []
    for author, minute, posts in (("bob", 0, 1), ("ann", 59, 5)):
        start = HOUR.replace(minute=minute, tzinfo=None)
        interval = {"window_start": start, "window_end": start + timedelta(minutes=1)}
        rows.append({**window, **interval, "author_id": author, "posts": posts})
    body = BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), body, use_deprecated_int96_timestamps=True)
    key = f"stream/author_windows/dt={DAY}/query=author_windows/batch=1/part.snappy.parquet"
    lake.client("s3").put_object(Bucket=lake.names.buckets["lake"], Key=key, Body=body.getvalue())
