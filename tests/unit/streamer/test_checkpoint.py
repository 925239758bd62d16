"""The streamer's journal on bad days: torn, damaged, empty, of an earlier form, on a disk without room."""

import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.sources import Gap
from postrank.streamer.engine.checkpoint import Checkpoint, JournalFull
from postrank.streamer.engine.ledgers import Ledgers
from tests.support.fakes.aws import aws_server
from tests.support.streaming.disks import small_disk
from tests.support.streaming.streamers import StreamerProcess, heartbeat, record, write_lines

# What a streamer wrote before authors had numbers.
EARLIER = (
    b'{"cursor":"{\\"file\\":0,\\"offset\\":120}","counts":{"read":1,"posts":1,"edits":0,"deletes":0,"rejected":0,"ignored":0,'
    b'"filtered":0,"gaps":0,"gap_seconds":0,"unknown_fields":0,"window_lines":0,"ignored_by_kind":{},'
    b'"first_posted_at":"2026-05-01T12:00:00.000Z","last_posted_at":"2026-05-01T12:00:00.000Z"},'
    b'"windows":{"minutes":{"29627280":{"x\\n7":1}},"handles":{"x\\n7":"user7"},"seen":["x\\n1"],'
    b'"newest_ms":1777636800000,"closed":29627278}}'
)


def journal(path: Path, *bodies: bytes) -> bytes:
    checkpoint = Checkpoint(path)
    checkpoint.append(bodies)
    checkpoint.close()
    return path.read_bytes()


def read(path: Path) -> list[int]:
    checkpoint = Checkpoint(path)
    found = [frame["n"] for frame in checkpoint.frames()]
    checkpoint.close()
    return found


def test_a_journal_that_ends_at_any_byte_of_its_last_frame_goes_on_behind_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.journal"
    two = len(journal(path, b'{"n":1}', b'{"n":2}'))
    whole = journal(path, b'{"n":3}')
    for end in range(two, len(whole)):
        path.write_bytes(whole[:end])
        assert read(path) == [1, 2], end
        journal(path, b'{"n":4}')
        assert read(path) == [1, 2, 4], end
    assert not path.with_suffix(".damaged").exists(), "a crash is no damage"


def test_a_journal_that_is_damaged_anywhere_goes_on_before_that_and_the_rest_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.journal"
    whole = journal(path, b'{"n":1}', b'{"n":2}', b'{"n":3}')
    frame = len(whole) // 3
    for at in range(frame, 2 * frame):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert read(path) == [1], at
        assert path.stat().st_size == frame
    assert len(path.with_suffix(".damaged").read_bytes()) == 2 * frame


def test_an_empty_journal_is_a_beginning(tmp_path: Path) -> None:
    path = tmp_path / "state" / "of" / "checkpoint.journal"
    journal(path)
    assert path.read_bytes() == b""
    assert read(path) == []
    path.write_bytes(b"torn")  # within the first frame's head
    assert read(path) == []
    assert list(path.parent.iterdir()) == [path], "nothing was damaged"
    journal(path, b'{"n":1}')
    assert read(path) == [1]


def test_a_disk_without_room_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path, 1) as disk:
        checkpoint = Checkpoint(disk / "checkpoint.journal")
        checkpoint.append([b'{"n":1}'])
        (disk / "ballast").write_bytes(bytes(900_000))
        with pytest.raises(JournalFull, match=r"no room for .*checkpoint.journal: make room"):
            checkpoint.append([b'{"n":2,"x":"' + b"x" * 500_000 + b'"}'])
        (disk / "ballast").unlink()
        checkpoint.append([b'{"n":3}'])
        checkpoint.close()
        assert read(disk / "checkpoint.journal") == [1, 3]


def test_a_disk_without_room_for_a_second_journal_leaves_the_first_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path, 1) as disk:
        checkpoint = Checkpoint(disk / "checkpoint.journal")
        checkpoint.append([b'{"n":1}'])
        (disk / "ballast").write_bytes(bytes(900_000))
        with pytest.raises(JournalFull):
            checkpoint.rewrite(b'{"n":2,"x":"' + b"x" * 500_000 + b'"}')
        assert sorted(path.name for path in disk.iterdir()) == ["ballast", "checkpoint.journal"]
        checkpoint.append([b'{"n":3}'])
        checkpoint.close()
        assert read(disk / "checkpoint.journal") == [1, 3]


@pytest.mark.parametrize("cut", [b"", b'{"kind": "gap", "source'])
def test_a_ledger_holds_whole_rows_whatever_disk_and_crashes_do(cut: bytes, tmp_path: Path) -> None:
    gap = Gap(since=datetime(2026, 11, 1, tzinfo=UTC), until=datetime(2026, 11, 2, tzinfo=UTC), reason="r" * 100_000)
    with small_disk(tmp_path, 1) as disk:
        ledgers = Ledgers(disk, "ledgers/", "test")
        ledgers.note_gaps("x", [gap])
        ledgers.flush()
        with (disk / "gaps.open").open("ab") as file:
            file.write(cut)  # as a crash leaves it
        (disk / "ballast").write_bytes(bytes(900_000 - 100_000))
        ledgers.note_gaps("x", [gap] * 5)
        with pytest.raises(OSError, match="No space left"):
            ledgers.flush()
        assert len((disk / "gaps.open").read_bytes().splitlines()) == 1
        (disk / "ballast").unlink()
        ledgers.flush()
        objects: list[bytes] = []
        ledgers.upload(lambda _, body: objects.append(body))
    rows = [orjson.loads(line) for line in b"".join(objects).splitlines()]
    assert [row["gap_from"] for row in rows] == ["2026-11-01T00:00:00.000Z"] * 6


def test_a_full_disk_under_the_log_stops_nothing(tmp_path: Path) -> None:
    with aws_server() as aws, Path("/dev/full").open("ab") as full:
        streamer = started(tmp_path, aws.port, 1000)
        words = ["stream", "--config", str(streamer.write())]
        argv = [sys.executable, "-m", "postrank", *words]
        process = subprocess.run(
            argv, env=streamer.environment(), stdout=full, stderr=full, check=False, timeout=patient(60)
        )
        assert process.returncode == 0
        assert len(aws.lines("-posts")) == 1000


def test_a_disk_that_takes_its_time_holds_the_source_back_and_loses_nothing(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import os, time\nfsync = os.fsync\n\n"
        "def slow(handle):\n    time.sleep(0.3)\n    fsync(handle)\n\n"
        "os.fsync = slow\n",
        encoding="utf-8",
    )
    with aws_server() as aws:
        streamer = started(tmp_path, aws.port, 20_000)
        streamer.forked = False
        streamer.env = {"PYTHONPATH": str(slow)}
        assert streamer.run(120) == 0
        assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(20_000)}
        beat = heartbeat(aws)
        assert beat is not None
        assert (beat["phase"], beat["counts"]["delivered"], beat["counts"]["in_flight"]) == ("finished", 20_000, 0)


def started(folder: Path, port: int, lines: int = 1, **settings: dict[str, object]) -> StreamerProcess:
    file = write_lines(folder / "p.ndjson", [record(n, author=n % 99, seconds=n / 50) for n in range(lines)])
    sink = {"patience_seconds": 0.2, "flush_seconds": 0.1, "read_seconds": 1, "flush_bytes": 500_000}
    return StreamerProcess(folder, f"http://127.0.0.1:{port}", [file], {"sink": sink, **settings})


def test_a_journal_of_an_earlier_form_is_refused_with_what_to_do_and_left_alone(tmp_path: Path) -> None:
    with aws_server() as aws:
        streamer = started(tmp_path, aws.port)
        streamer.state.mkdir()
        path = streamer.state / "checkpoint.journal"
        path.write_bytes(struct.pack("<II", len(EARLIER), crc32(EARLIER)) + EARLIER)
        before = path.read_bytes()
        assert streamer.run() == 2
        assert "is of an earlier version: drain that version's spool, then remove the file" in streamer.log
        assert "Traceback" not in streamer.log
        assert path.read_bytes() == before
        path.unlink()
        assert streamer.run() == 0
        assert [line["post_id"] for line in aws.lines("-posts")] == ["0"]


def test_a_state_that_nobody_may_write_is_told_in_a_sentence(tmp_path: Path) -> None:
    disk = tmp_path / "state"
    disk.mkdir()
    with aws_server() as aws, small_disk(disk, 1, "ro"):
        streamer = started(tmp_path, aws.port)
        assert streamer.run() == 2
        assert str(disk) in streamer.log
        assert "Traceback" not in streamer.log
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert streamer.run() == 0


def test_a_disk_that_an_outage_fills_holds_the_source_back_and_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "state"
    disk.mkdir()
    with aws_server() as aws, small_disk(disk, 48):
        aws.failing = "500"
        streamer = started(tmp_path, aws.port, 120_000)
        process = streamer.start()
        try:
            wait_for(lambda: '"spool full"' in streamer.log, what="the alarm")
            assert process.poll() is None
            aws.failing = ""
            assert process.wait(patient(120)) == 0
        finally:
            process.kill()
            process.wait()
        assert {line["post_id"] for line in aws.lines("-posts")} == {str(n) for n in range(120_000)}
