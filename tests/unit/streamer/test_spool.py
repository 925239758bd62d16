"""What waits on disk: in order, whole, bounded, there after a crash."""

import errno
from pathlib import Path

import pytest

from postrank.sinks import POSTS, WINDOWS, Record
from postrank.streamer.engine.checkpoint import Checkpoint
from postrank.streamer.engine.spool import Spool, SpoolDamaged, SpoolFull


def records(name: str) -> list[Record]:
    return [Record(POSTS, "k1", f"{name}\n".encode() * 3, 3), Record(WINDOWS, "k2", b"w\n", 1)]


def test_what_is_appended_comes_back_in_order_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    spool.append(records("one"))
    spool.append(records("two"))
    again = Spool(tmp_path, 1 << 20)
    assert again.post_lines == 6
    assert again.first() == records("one")
    again.drop_first()
    assert again.first() == records("two")
    again.drop_first()
    assert again.first() is None
    assert list(tmp_path.iterdir()) == []


def test_a_full_spool_refuses_but_takes_one_shipment_of_any_size(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 200)
    spool.append([Record(POSTS, "k", b"x" * 500, 1)])
    with pytest.raises(SpoolFull):
        spool.append(records("more"))
    spool.drop_first()
    spool.append(records("more"))


def test_a_damaged_file_is_put_aside_and_the_next_one_comes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1 << 20)
    spool.append(records("one"))
    spool.append(records("two"))
    path = sorted(tmp_path.glob("*.ship"))[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(SpoolDamaged):
        spool.first()
    assert spool.first() == records("two")
    assert len(list(tmp_path.glob("*.damaged"))) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"[1]\nbody", b"5\n", b'{"crc": 1}\n', b"\xff\x00", b'{"lines": {"posts": "n"}}\n']
)
def test_a_file_that_is_no_shipment_holds_nothing_up(tmp_path: Path, content: bytes) -> None:
    Spool(tmp_path, 1 << 20).append(records("behind it"))
    (tmp_path / "000000000000.ship").write_bytes(content)
    spool = Spool(tmp_path, 1 << 20)
    assert spool.post_lines == 3
    with pytest.raises(SpoolDamaged):
        spool.first()
    assert spool.first() == records("behind it")


def test_what_a_crash_left_half_written_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "000000000001.new").write_bytes(b"half")
    assert Spool(tmp_path, 1 << 20).first() is None


def test_a_checkpoint_gives_back_its_whole_frames_and_forgets_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    checkpoint = Checkpoint(path)
    checkpoint.append([b'{"n":1}', b'{"n":2}'])
    checkpoint.close()
    path.write_bytes(path.read_bytes() + b"\x07\x00\x00\x00torn")
    again = Checkpoint(path)
    assert [frame["n"] for frame in again.frames()] == [1, 2]
    again.append([b'{"n":3}'])
    again.rewrite(b'{"n":4}')
    again.append([b'{"n":5}'])
    again.close()
    last = Checkpoint(path)
    assert [frame["n"] for frame in last.frames()] == [4, 5]
    last.close()


def test_a_disk_without_room_is_a_full_spool_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 1 << 20)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(SpoolFull, match="no room"):
            spool.append(records("one"))
    assert list(tmp_path.iterdir()) == []
    assert spool.first() is None
    spool.append(records("two"))
    assert spool.first() == records("two")
