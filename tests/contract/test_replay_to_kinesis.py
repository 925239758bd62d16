"""`postrank stream` with a replay: what is in the files arrives, whatever their form or the mood of AWS."""

import bz2
import gzip
import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from tests.support.aws_server import AwsServer, aws_server
from tests.support.given import given_data
from tests.support.streamers import StreamerProcess, final_windows, heartbeat, ledger, record, write_lines
from tests.support.waiting import wait_for


@pytest.fixture
def aws() -> Iterator[AwsServer]:
    with aws_server() as server:
        yield server


def test_all_of_a_v1_archive_arrives_as_events_of_the_contract(aws: AwsServer, tmp_path: Path) -> None:
    file = given_data() / "twitter-v11-sample-2013.ndjson.gz"
    assert StreamerProcess(tmp_path, aws.url, [file]).run() == 0
    lines = aws.lines("-posts")
    assert Counter(line["kind"] for line in lines) == {"post": 8290, "delete": 949}
    posts = {line["post_id"]: line for line in lines if line["kind"] == "post"}
    assert len(posts) == 8286
    assert len({line["post_id"] for line in lines if line["kind"] == "delete"}) == 948
    assert all(line["network"] == "x" and line["posted_at"].endswith("Z") for line in posts.values())
    one = posts["366151943065833472"]
    assert (one["author_handle"], one["posted_at"]) == ("firrymuthyaa", "2013-08-10T11:00:00.000Z")
    assert one["mentions"] == ["ayinanda", "firrymuthyaa", "ayinanda"]


def test_the_windows_of_the_stream_are_those_that_were_counted_independently(aws: AwsServer, tmp_path: Path) -> None:
    file = given_data() / "airline-2015.ndjson.gz"
    truth = json.loads((given_data() / "airline-2015.truth.json").read_text(encoding="utf-8"))
    assert StreamerProcess(tmp_path, aws.url, [file]).run() == 0
    windows = final_windows(aws.lines("author-windows"))
    assert sum(windows.values()) == truth["rows"]
    for minute, author_id, _, posts in truth["tumbling_60s"]:
        start = f"{minute}:00.000Z" if len(minute) == 16 else minute
        assert windows["x", author_id, start] == posts


@pytest.mark.parametrize("kind", ["plain", "gz", "gz of two members", "bz2", "zst"])
def test_a_file_is_recognised_by_its_content_not_by_its_name(aws: AwsServer, tmp_path: Path, kind: str) -> None:
    body = write_lines(tmp_path / "plain", [record(n) for n in range(50)]).read_bytes()
    packed = {
        "plain": body,
        "gz": gzip.compress(body),
        "gz of two members": gzip.compress(body[:777]) + gzip.compress(body[777:]),
        "bz2": bz2.compress(body),
        "zst": zstandard.compress(body),
    }[kind]
    (tmp_path / "posts").write_bytes(packed)
    assert StreamerProcess(tmp_path, aws.url, [tmp_path / "posts"]).run() == 0
    assert [line["post_id"] for line in sorted(aws.lines("-posts"), key=lambda line: int(line["post_id"]))] == [
        str(n) for n in range(50)
    ]


def test_a_bad_line_goes_to_the_rejects_with_its_reason_and_place(aws: AwsServer, tmp_path: Path) -> None:
    good = json.dumps(record(1)).encode()
    bad = b'{"kind": "post", "network": "x", "post_id": 7}'
    notice = b'{"limit": {"track": 5}}'
    (tmp_path / "mixed.ndjson").write_bytes(b"\n".join([good, b"not json", bad, notice, b"x" * 10_000, good[:-1], b""]))
    assert StreamerProcess(tmp_path, aws.url, [tmp_path / "mixed.ndjson"]).run() == 0
    rows = ledger(aws, "rejects")
    assert [row["offset"] for row in rows] == [
        len(good) + 1,
        len(good) + 10,
        len(good) + 11 + len(bad) + 1 + len(notice),
        len(good) + 11 + len(bad) + 1 + len(notice) + 10_001,
    ]
    assert rows[1]["reason"] == "post_id is not text"
    assert {row["source"] for row in rows} == {"mixed.ndjson"}
    assert len(rows[2]["line"]) == 4096
    counts = (heartbeat(aws) or {})["counts"]
    assert counts["read"] == 6 == counts["events"] + counts["rejected"] + counts["ignored"]
    assert (counts["rejected"], counts["ignored"], counts["delivered"]) == (4, 1, 1)


def test_a_missing_file_is_one_clear_message(aws: AwsServer, tmp_path: Path) -> None:
    streamer = StreamerProcess(tmp_path, aws.url, [tmp_path / "nowhere.gz"])
    assert streamer.run() == 2
    assert f"cannot replay {tmp_path / 'nowhere.gz'}: No such file or directory" in streamer.log
    assert "Traceback" not in streamer.log
    assert (heartbeat(aws) or {})["phase"] == "failed"


def test_only_refused_entries_are_sent_again(aws: AwsServer, tmp_path: Path) -> None:
    aws.refuse_share = 0.05
    file = write_lines(tmp_path / "posts.ndjson", [record(n, author=n % 97, seconds=n / 10) for n in range(5000)])
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"sink": {"record_bytes": 2048, "flush_bytes": 200_000}})
    assert streamer.run() == 0
    assert Counter(line["post_id"] for line in aws.lines("-posts")) == {str(n): 1 for n in range(5000)}
    assert (heartbeat(aws) or {})["gauges"]["resent_entries"] > 0


def test_what_the_shards_have_no_room_for_is_sent_again_and_nothing_is_lost(aws: AwsServer, tmp_path: Path) -> None:
    aws.capacity = 1_000_000.0
    posts = [record(n, author=n % 97, seconds=n / 10, text="t" * 900) for n in range(5_000)]
    file = write_lines(tmp_path / "posts.ndjson", posts)
    settings = {"sink": {"flush_bytes": 250_000, "patience_seconds": 30}, "windows": {"sliding_rows": 0}}
    assert StreamerProcess(tmp_path, aws.url, [file], settings).run() == 0
    assert Counter(line["post_id"] for line in aws.lines("-posts")) == {str(n): 1 for n in range(5_000)}
    gauges = (heartbeat(aws) or {})["gauges"]
    assert gauges["refused_entries"] == gauges["resent_entries"] > 0
    assert gauges["rate_limit_bytes"] > 0


def test_an_author_keeps_to_one_partition_key(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "posts.ndjson", [record(n, author=n % 50) for n in range(3000)])
    assert StreamerProcess(tmp_path, aws.url, [file], {"sink": {"record_bytes": 1024}}).run() == 0
    keys: dict[str, set[str]] = {}
    for stream, key, data in aws.records:
        if stream.endswith("-posts"):
            for line in data.splitlines():
                keys.setdefault(json.loads(line)["author_id"], set()).add(key)
    assert len(keys) == 50
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) > 10


def test_calls_respect_the_limits_of_put_records(aws: AwsServer, tmp_path: Path) -> None:
    big = [record(n, author=n, text="z" * 20_000) for n in range(600)]
    file = write_lines(tmp_path / "posts.ndjson", big)
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"sink": {"flush_bytes": 30_000_000, "flush_seconds": 30}})
    assert streamer.run() == 0
    assert max(aws.calls) <= 500
    assert max(aws.call_bytes) < 5 * 1024 * 1024
    assert len(aws.lines("-posts")) == 600


def test_a_post_larger_than_a_record_is_rejected_not_lost_in_silence(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "posts.ndjson", [record(1), record(2, text="y" * 1_100_000)])
    assert StreamerProcess(tmp_path, aws.url, [file]).run() == 0
    assert [line["post_id"] for line in aws.lines("-posts")] == ["1"]
    counts = (heartbeat(aws) or {})["counts"]
    assert (counts["read"], counts["delivered"], counts["rejected"]) == (2, 1, 1)


def test_a_kill_loses_nothing_and_counts_nothing_twice(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "p.ndjson", [record(n, author=n % 31, seconds=n / 20) for n in range(20_000)])
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"sink": {"flush_bytes": 100_000}})
    aws.delay = 0.02
    for wanted in (3, 12):
        process = streamer.start()
        wait_for(lambda wanted=wanted: len(aws.calls) >= wanted, what=f"{wanted} calls")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert streamer.run() == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(20_000)}
    assert sum(final_windows(aws.lines("author-windows")).values()) == 20_000
    counts = (heartbeat(aws) or {})["counts"]
    assert counts["read"] == counts["delivered"] == 20_000


def test_sigterm_ends_it_with_status_0_and_it_goes_on_where_it_was(aws: AwsServer, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "posts.ndjson", [record(n, seconds=n / 100) for n in range(3000)])
    streamer = StreamerProcess(tmp_path, aws.url, [file], {"source": {"speed": 1}, "sink": {"flush_seconds": 0.1}})
    process = streamer.start()
    wait_for(lambda: len(aws.lines("-posts")) > 100, what="the first posts")
    process.terminate()
    assert process.wait(60) == 0
    before = len(aws.lines("-posts"))
    assert (heartbeat(aws) or {})["phase"] == "stopped"
    streamer.settings["source"] = {"speed": 0}
    assert streamer.run() == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(3000)}
    assert before < 3000
    assert (heartbeat(aws) or {})["finished"] is True
