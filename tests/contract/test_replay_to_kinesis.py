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

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from tests.support.fakes.aws import AwsServer, aws_server
from tests.support.lake.real_posts import given_data
from tests.support.streaming.streamers import StreamerProcess, final_windows, heartbeat, ledger, record, write_lines


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
    assert rows[1]["reason"] == "post_id is 7, not text"
    assert {row["source"] for row in rows} == {"mixed.ndjson"}
    assert len(rows[2]["line"]) == 4096
    counts = (heartbeat(aws) or {})["counts"]
    assert counts["read"] == 6 == counts["events"] + counts["rejected"] + counts["ignored"]
    assert (counts["rejected"], counts["ignored"], counts["delivered"]) == (4, 1, 1)


def test_a_corpus_of_bad_input_is_rejected_with_reasons_or_accepted_by_rule_and_all_of_it_is_counted(
    aws: AwsServer, tmp_path: Path
) -> None:
    accepted = [
        record(1),
        record(1),  # delivered twice: the lake keeps one
        record(2, posted_at="0001-01-01T00:00:00.000Z"),
        record(3, posted_at="1969-12-31T23:59:59.999Z"),
        record(4, posted_at="9999-12-31T23:59:59.999Z"),  # counted, and closes no window that is open now
        record(5, text="\x00\u202e\U0001f9ff", hashtags=["", "#", "a" * 10_000]),
        record(6, post_id="'; drop table posts; --", author_id="a\nb\tc"),
        record(7, unheard_of={"a": [1]}),
        record(26, hashtags={"a": 1}),  # a detail that cannot be read is left out
        {"kind": "delete", "network": "x", "post_id": "never seen"},
        {"kind": "delete", "network": "x", "post_id": "8", "posted_at": "2026-05-01T12:00:00Z"},
    ]
    rejected = {
        b"x" * (10 << 20): "not JSON",
        json.dumps(record(20, text="a" * (10 << 20))).encode(): "more than the 1000000 that a record holds",
        b'{"a": "' + b"b" * (17 << 20): "line longer than",
        b"[" * (1 << 20): "not JSON",
        b'{"data":' * 50_000 + b"1" + b"}" * 50_000: "not JSON",
        b"\xff\xfe{\x00}\x00": "not JSON",
        json.dumps(record(21)).encode()[:-10]: "not JSON",
        b'{"kind": "post", "network": "\xed\xa0\x80"}': "network",
        b'"text"': "where an object belongs",
        json.dumps(record(22, posted_at="2026-02-30T00:00:00Z")).encode(): "posted_at",
        json.dumps(record(23, posted_at="10000-01-01T00:00:00Z")).encode(): "posted_at",
        json.dumps(record(24, posted_at=1777636800)).encode(): "posted_at",
        json.dumps(record(25, author_id=None)).encode(): "author_id is missing",
        json.dumps(record(27, network=["x"])).encode(): "network",
        json.dumps({"kind": "delete", "network": "x", "post_id": "1", "posted_at": "soon"}).encode(): "posted_at",
    }
    lines = [json.dumps(one).encode() for one in accepted]
    mixed = [line for pair in zip(lines, rejected, strict=False) for line in pair] + list(rejected)[len(lines) :]
    whole = gzip.compress(b"\n".join([*mixed, json.dumps(record(9)).encode(), b""]), 1)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(json.dumps(record(10)).encode() + b"\n") + whole[: len(whole) // 2])
    (tmp_path / "mixed.gz").write_bytes(whole)
    assert StreamerProcess(tmp_path, aws.url, [tmp_path / "mixed.gz", tmp_path / "cut.gz"]).run() == 0
    counts = (heartbeat(aws) or {})["counts"]
    assert counts["read"] == counts["events"] + counts["rejected"] + counts["ignored"]
    assert counts["delivered"] == counts["events"]
    rows = [row for row in ledger(aws, "rejects") if row["source"] == "mixed.gz"]
    large = [row for row in ledger(aws, "rejects") if row["source"].startswith("mixed.gz:")]
    assert len(rows) + len(large) == len(rejected)
    assert not [why for why in rejected.values() if not any(why in row["reason"] for row in [*rows, *large])]
    came = aws.lines("-posts")
    assert {line["post_id"] for line in came} >= {str(one["post_id"]) for one in accepted} | {"9", "10"}
    assert [row["reason"] for row in ledger(aws, "rejects") if row["source"] == "cut.gz"][-1].startswith(
        "the gzip data"
    )
    assert not [line for line in aws.lines("author_windows") if line["window_start"] > "9999-12-31T23:59"]


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
    assert process.wait(patient(60)) == 0
    before = len(aws.lines("-posts"))
    assert (heartbeat(aws) or {})["phase"] == "stopped"
    streamer.settings["source"] = {"speed": 0}
    assert streamer.run() == 0
    assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(3000)}
    assert before < 3000
    assert (heartbeat(aws) or {})["finished"] is True
