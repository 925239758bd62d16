"""Original JSON in the lake: its view, its named query, and its redaction with the post."""

import gzip
import json
from typing import Any

from postrank.posts.times import milliseconds
from tests.support.lake.ranked_lake import Lake, author_delete, delete, post, render
from tests.support.lake.upkeep import redact_undelivered

FIRST = "2026-11-24T01"
SECOND = "2026-11-24T02"
KEY = "raw/json/dt=2026-11-24/test-1.ndjson.gz"


def raw(number: int, author: str = "ann", seen_at: str = "2026-11-24T00:00:00.000Z", **fields: Any) -> dict[str, Any]:
    usual = {"kind": "raw", "network": "x", "post_id": str(number), "author_id": author, "collector": "test"}
    text = json.dumps({"id": str(number), "words": f"words of {number}", "vibe": number})
    at = {"posted_at": f"2026-11-23T10:0{number}:00.000Z", "seen_at": seen_at}
    return {**usual, **at, "json": text, **fields}


def put(lake: Lake, rows: list[dict[str, Any]], key: str = KEY) -> None:
    body = gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=body)


def lines(lake: Lake, key: str = KEY) -> list[dict[str, Any]]:
    body = lake.client("s3").get_object(Bucket=lake.names.buckets["raw"], Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def test_originals_are_queried_by_the_id_of_their_post(lake: Lake) -> None:
    later = "2026-11-24T00:00:09.000Z"
    put(lake, [raw(1), raw(1, seen_at=later), raw(2, seen_at=later), raw(3, json=None)])  # the first one came twice
    put(lake, [raw(9)], "raw/json/dt=2026-11-23/test-0.ndjson.gz")
    lake.deliver(FIRST, [post(str(n), "ann", f"2026-11-23T10:0{n}:00.000Z") for n in (1, 2, 3)])
    lake.rank([FIRST])
    rows = lake.rows(
        "select posts.post_id, posts.text, json_extract_scalar(originals.json, '$.vibe') as vibe, originals.seen_at "
        "from posts inner join originals on posts.network = originals.network and posts.post_id = originals.post_id "
        "where originals.dt = '2026-11-24' order by posts.post_id"
    )
    assert [(row["post_id"], row["text"], row["vibe"], str(row["seen_at"])[11:19]) for row in rows] == [
        ("1", "text of 1", "1", "00:00:00"),
        ("2", "text of 2", "2", "00:00:09"),
    ]
    newest = lake.rows(render("queries/newest_originals.sql"))
    assert [row["post_id"] for row in newest] == ["2", "1"]
    assert json.loads(str(newest[0]["json"]))["words"] == "words of 2"


def test_where_x_wants_a_place_removed_the_original_goes_and_the_post_stays(lake: Lake) -> None:
    put(lake, [raw(1), raw(2), raw(1, network="y"), raw(3, "bob"), raw(4, "bob", posted_at="2026-11-24T00:00:00.000Z")])
    up_to = str((milliseconds("2026-11-23T12:00:00.000Z") - 1288834974657) << 22)
    of_post = {"kind": "scrub_geo", "post_id": "1", "author_id": "ann", "about": "place of the post"}
    of_author = {
        **of_post,
        "post_id": up_to,
        "author_id": "bob",
        "about": "places of the author's posts up to this one",
    }
    body = "".join(f"{json.dumps({'collector': 'c', 'source': 'x', **notice})}\n" for notice in (of_post, of_author))
    key = "ledgers/notices/dt=2026-11-24/n.ndjson"
    lake.client("s3").put_object(Bucket=lake.names.buckets["raw"], Key=key, Body=body.encode())
    lake.deliver(FIRST, [post("1", "ann", "2026-11-23T10:01:00.000Z")])
    lake.rank([FIRST])
    assert redact_undelivered(lake) == 1
    assert [(row["network"], row["kind"]) for row in lines(lake)] == [
        ("x", "redacted_raw"),
        ("x", "raw"),
        ("y", "raw"),
        ("x", "redacted_raw"),
        ("x", "raw"),
    ]
    assert [row["post_id"] for row in lake.rows("select post_id from posts")] == ["1"]


def test_a_deleted_post_is_no_longer_shown_and_its_original_gives_way_to_a_stub(lake: Lake) -> None:
    put(lake, [raw(1), raw(2), raw(3, "bob"), raw(4, "bob")])
    lake.deliver(FIRST, [post("1", "ann", "2026-11-23T10:01:00.000Z")])
    lake.deliver(SECOND, [delete("1"), author_delete("bob", "2026-11-23T10:03:30.000Z")])
    lake.rank([FIRST, SECOND])
    shown = lake.rows("select post_id from originals where dt = '2026-11-24' order by post_id")
    assert [row["post_id"] for row in shown] == ["2", "4"]
    assert redact_undelivered(lake) == 1
    rows = lines(lake)
    assert [(row["kind"], row["post_id"], "json" in row) for row in rows] == [
        ("redacted_raw", "1", False),
        ("raw", "2", True),
        ("redacted_raw", "3", False),
        ("raw", "4", True),
    ]
    assert "words of 1" not in json.dumps(rows)
    assert rows[0]["collector"] == "test", "whose rows are counted as before"
    assert redact_undelivered(lake, "again") == 0
