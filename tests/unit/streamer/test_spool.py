"""What waits on disk: in order, whole, bounded, there after a crash."""

import errno
import shutil
from pathlib import Path

import pytest

from postrank.sinks import POSTS, WINDOWS, Record
from postrank.streamer.engine.checkpoint import Checkpoint, JournalFull
from postrank.streamer.engine.spool import RESERVE, Spool, SpoolDamaged, SpoolFull


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


def test_a_spool_is_filled_to_its_last_byte(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "measured", 1 << 20)
    spool.append(records("one"))
    size = spool.bytes
    full = Spool(tmp_path / "full", 2 * size)
    full.append(records("one"))
    full.append(records("one"))
    assert full.bytes == 2 * size
    short = Spool(tmp_path / "short", 2 * size - 1)
    short.append(records("one"))
    with pytest.raises(SpoolFull, match=f"the spool holds {size} of {2 * size - 1} bytes"):
        short.append(records("one"))


def test_the_disk_keeps_room_for_journal_and_ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RESERVE == 32 << 20
    spool = Spool(tmp_path, 1 << 20)
    spool.append(records("one"))
    size = spool.bytes
    usage = shutil.disk_usage(tmp_path)
    for free in (size + RESERVE - 1, size + RESERVE):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: usage._replace(free=free))
        if free < size + RESERVE:
            with pytest.raises(SpoolFull, match=r"has less than 32 MiB of room"):
                spool.append(records("one"))
        else:
            spool.append(records("one"))
    assert len(spool) == 2


def test_what_comes_after_a_restart_lies_behind_what_was_there(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        Spool(tmp_path, 1 << 20).append(records(name))
    spool = Spool(tmp_path, 1 << 20)
    assert (len(spool), spool.post_lines) == (3, 9)
    for name in ("one", "two", "three"):
        assert spool.first() == records(name)
        spool.drop_first()


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


def test_damage_of_any_byte_is_noticed(tmp_path: Path) -> None:
    Spool(tmp_path / "whole", 1 << 20).append(records("one"))
    (path,) = (tmp_path / "whole").glob("*.ship")
    whole = path.read_bytes()
    for at in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(SpoolDamaged, match=f"the spool file {path.name} is damaged and was kept as"):
            Spool(path.parent, 1 << 20).first()


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
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_takes_no_new_file_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    spool = Spool(tmp_path / "spool", 1 << 20)
    checkpoint = Checkpoint(tmp_path / "checkpoint.journal")

    def refuse(*_: object) -> None:
        raise OSError(number, "no new file")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.open", refuse)
        with pytest.raises(OSError if number == errno.EIO else SpoolFull, match="no new file"):
            spool.append(records("one"))
        with pytest.raises(OSError if number == errno.EIO else JournalFull):
            checkpoint.rewrite(b'{"n":1}')
    spool.append(records("two"))
    assert spool.first() == records("two")
    checkpoint.close()
