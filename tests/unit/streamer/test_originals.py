"""The networks' original JSON: on disk, in the bucket, counted, bounded, and never in the way of a post."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from postrank.posts import Post
from postrank.sources import Original
from postrank.streamer.engine.originals import ORIGINAL_LIMIT, Originals
from postrank.streamer.telemetry.reporter import hops
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.streaming.streamers import NAMES, StreamerProcess, heartbeat, ledger, record, write_lines

AT = "2026-11-24T05:00:00.000Z"
LARGE = 1 << 30


class Bucket:
    """Takes objects, or fails."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.error: Exception | None = None

    def put(self, key: str, body: bytes, /) -> None:
        if self.error is not None:
            raise self.error
        self.objects[key] = body

    @property
    def rows(self) -> list[dict[str, Any]]:
        return rows_of(self.objects)


def rows_of(objects: dict[str, bytes]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for _, body in sorted(objects.items()) for line in gzip.decompress(body).splitlines()]


def original(number: int, json: bytes = b'{"id": 1}') -> Original:
    return Original(Post(network="x", post_id=str(number), author_id="7", posted_at=AT), json)


def test_a_row_links_the_json_to_its_post(tmp_path: Path) -> None:
    bucket = Bucket()
    originals = Originals(tmp_path, "test/1", LARGE)
    assert originals.add([original(1, b'{"a":\n"b"}')], AT).rows == 1
    assert originals.flush() == 0
    assert originals.upload(bucket.put) == 0, "too little for an object, and too young"
    assert originals.waiting == 1
    assert originals.upload(bucket.put, all_rows=True) == 1
    assert originals.waiting == 0
    [key] = bucket.objects
    assert key.startswith("raw/json/dt=20")
    assert key.endswith(".ndjson.gz")
    assert key.count("/") == 3
    assert bucket.rows == [
        {
            "kind": "raw",
            "network": "x",
            "post_id": "1",
            "author_id": "7",
            "posted_at": AT,
            "seen_at": AT,
            "collector": "test/1",
            "json": '{"a":\n"b"}',
        }
    ]


def test_what_the_bucket_did_not_take_waits_also_over_a_restart(tmp_path: Path) -> None:
    bucket = Bucket()
    originals = Originals(tmp_path, "test", LARGE)
    originals.add([original(number) for number in range(3)], AT)
    originals.flush()
    bucket.error = OSError("away")
    with pytest.raises(OSError, match="away"):
        originals.upload(bucket.put, all_rows=True)
    originals.add([original(3)], AT)
    originals.flush()
    again = Originals(tmp_path, "test", LARGE)
    assert again.waiting == 4
    bucket.error = None
    assert again.upload(bucket.put, all_rows=True) == 2
    assert (again.waiting, sorted(row["post_id"] for row in bucket.rows)) == (0, ["0", "1", "2", "3"])


def test_what_is_too_large_or_finds_no_room_is_counted_and_not_kept(tmp_path: Path) -> None:
    originals = Originals(tmp_path, "test", 3000)
    large = original(1, b'"' + b"a" * ORIGINAL_LIMIT + b'"')
    kept = originals.add([large, *(original(number, b'"' + b"a" * 1000 + b'"') for number in range(2, 6))], AT)
    assert (kept.rows, kept.too_large, kept.left_out) == (2, 1, 2)
    originals.flush()
    bucket = Bucket()
    originals.upload(bucket.put, all_rows=True)
    assert [row["post_id"] for row in bucket.rows] == ["2", "3"]
    assert originals.add([original(6)], AT).rows == 1, "there is room again"


def test_a_disk_that_cannot_be_written_costs_the_json_alone(tmp_path: Path) -> None:
    originals = Originals(tmp_path / "originals", "test", LARGE)
    (tmp_path / "originals" / "rows.open").mkdir()
    assert originals.add([original(1), original(2)], AT).rows == 2
    assert originals.flush() == 2
    assert originals.waiting == 0


def streamed(
    aws: AwsServer, folder: Path, records: list[dict[str, Any]], **settings: dict[str, Any]
) -> StreamerProcess:
    streamer = StreamerProcess(folder, aws.url, [write_lines(folder / "p.ndjson", records)], settings)
    assert streamer.run() == 0
    return streamer


def kept_rows(aws: AwsServer) -> list[dict[str, Any]]:
    prefix = f"{NAMES.buckets['raw']}/raw/json/"
    return rows_of({key: body for key, body in aws.objects.items() if key.startswith(prefix)})


def test_a_streamer_keeps_the_json_of_what_it_sends_and_accounts_for_it(tmp_path: Path) -> None:
    records = [record(number, text="cats" if number % 2 else "dogs", mood=number) for number in range(20)]
    records.append(record(21, text="cats", blob="b" * ORIGINAL_LIMIT))
    records.append({"kind": "delete", "network": "x", "post_id": "1"})
    with aws_server() as aws:
        streamed(aws, tmp_path, records, filters={"keywords": ["cats"]}, raw={"keep": True})
        sent = {line["post_id"] for line in aws.lines("-posts")}
        rows = kept_rows(aws)
        counts = (heartbeat(aws) or {})["counts"]
        [hop] = [row for row in ledger(aws, "hop_counts") if row["hop"] == "originals"]
    assert {row["post_id"] for row in rows} == {str(number) for number in range(1, 20, 2)}
    assert {row["post_id"] for row in rows} | {"21"} == sent, "an original that is too large costs no post"
    assert {row["collector"] for row in rows} == {"test"}
    assert orjson.loads(rows[0]["json"])["mood"] == int(rows[0]["post_id"])
    assert counts["read"] == counts["events"] + counts["rejected"] + counts["ignored"]
    assert (counts["originals"], counts["originals_waiting"], counts["originals_too_large"]) == (10, 0, 1)
    assert (hop["received"], hop["delivered"], hop["rejected"], hop["ignored"]) == (11, 10, 1, 0)


def test_a_streamer_that_is_not_asked_keeps_no_json(tmp_path: Path) -> None:
    with aws_server() as aws:
        streamer = streamed(aws, tmp_path, [record(1)])
        assert kept_rows(aws) == []
        assert "originals" not in (heartbeat(aws) or {})["counts"]
    assert not (streamer.state / "originals").exists()


def test_the_hop_of_originals_adds_up() -> None:
    counts: dict[str, int] = dict.fromkeys(
        ("read", "events", "rejected", "ignored", "filtered", "delivered", "spooled", "in_flight"), 0
    )
    assert "originals" not in hops(counts)
    kept = {"originals": 10, "originals_waiting": 3, "originals_too_large": 1, "originals_left_out": 2}
    hop = hops({**counts, **kept})["originals"]
    assert hop["received"] == hop["delivered"] + hop["rejected"] + hop["ignored"] + hop["spooled"] == 13
