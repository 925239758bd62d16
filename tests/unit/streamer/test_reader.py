"""Reading a source that is lost, that ends, that fails, that is stopped."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.errors import Fatal, Retryable
from postrank.posts import Post
from postrank.posts.times import to_text
from postrank.sources import Batch, Gap
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.engine.reader import Reader
from tests.support.streaming.streamers import START


class Flaky:
    """Yields the numbers from its cursor on, and is lost after each third; ends at `last`."""

    name = "flaky"

    def __init__(self, last: int, *, fatal_at: int | None = None) -> None:
        self._last, self._fatal_at = last, fatal_at
        self._stopped = threading.Event()
        self.asked: list[str | None] = []

    def read(self, *, after: str | None) -> Iterator[Batch]:
        self.asked.append(after)
        first = int(after or 0) + 1
        for number in range(first, self._last + 1):
            if self._stopped.is_set():
                return
            if number == self._fatal_at:
                raise Fatal("the token was refused")
            post = Post(network="x", post_id=str(number), author_id="a", posted_at=to_text(START))
            yield Batch(cursor=str(number), events=[post], read=1)
            if number == first + 2 and number < self._last:
                raise Retryable("the connection was reset")

    def stop(self) -> None:
        self._stopped.set()


def taken(reader: Reader) -> list[str]:
    found: list[str] = []
    while not reader.ended:
        batch = reader.get(5.0)
        found += [event.post_id for event in batch.events] if batch else []
    return found


def test_a_lost_source_is_read_on_from_the_last_batch() -> None:
    source = Flaky(8)
    reader = Reader(source, "1")
    reader.start()
    assert taken(reader) == ["2", "3", "4", "5", "6", "7", "8"]
    assert source.asked == ["1", "4", "7"]
    assert reader.finished
    assert reader.reconnects == 2


def test_what_no_retry_can_mend_ends_the_reading_after_what_came_before() -> None:
    reader = Reader(Flaky(8, fatal_at=3), None)
    reader.start()
    assert taken(reader) == ["1", "2"]
    assert str(reader.failure) == "the token was refused"
    assert not reader.finished


def test_a_stopped_reader_ends_though_nobody_takes_its_batches() -> None:
    source = Flaky(10_000)
    reader = Reader(source, "9000")
    reader.start()
    wait_for(lambda: reader.get(0.1), what="a first batch")
    reader.stop()
    wait_for(lambda: reader.get(0.1) is None and reader.ended, what="the end")
    assert not reader.finished


def test_gaps_become_rows_and_an_upload_that_fails_is_made_again(tmp_path: Path) -> None:
    ledgers = Ledgers(tmp_path, "ledgers/", "c/1")
    gap = Gap(since=datetime(2026, 5, 1, tzinfo=UTC), until=datetime(2026, 5, 2, tzinfo=UTC), reason="reset")
    ledgers.note_gaps("x", [gap])
    ledgers.flush()

    def away(key: str, body: bytes) -> None:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        ledgers.upload(away)
    objects: dict[str, bytes] = {}
    assert ledgers.upload(objects.__setitem__) == 1
    assert ledgers.upload(objects.__setitem__) == 0
    ((key, body),) = objects.items()
    assert key.startswith("ledgers/gaps/dt=")
    assert "c-1-" in key
    row = orjson.loads(body)
    assert (row["gap_from"], row["gap_to"]) == ("2026-05-01T00:00:00.000Z", "2026-05-02T00:00:00.000Z")
    assert (row["source"], row["reason"], row["recovered_by"]) == ("x", "reset", None)


def test_processes_that_share_a_folder_of_ledgers_lose_and_repeat_no_row(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from postrank.posts import Reject; "
        "from postrank.streamer.engine.ledgers import Ledgers\n"
        "folder, out, me = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]\n"
        "def put(key, body):\n"
        "    with (out / key.replace('/', '~')).open('wb') as file:\n"
        "        file.write(body)\n"
        "ledgers = Ledgers(folder, 'l/', 'same')\n"
        "for n in range(200):\n"
        "    ledgers.note_rejects([Reject(reason=f'{me}:{n}', line=b'', where='w')])\n"
        "    ledgers.flush()\n"
        "    ledgers.upload(put)\n"
    )
    (tmp_path / "out").mkdir()
    argv = [sys.executable, "-c", program, str(tmp_path / "ledgers"), str(tmp_path / "out")]
    processes = [subprocess.Popen([*argv, str(number)]) for number in range(3)]
    statuses = [process.wait(patient(60)) for process in processes]
    lines = [line for path in (tmp_path / "out").iterdir() for line in path.read_bytes().splitlines()]
    rows = [orjson.loads(line)["reason"] for line in lines]
    assert set(rows) == {f"{me}:{n}" for me in range(3) for n in range(200)}
    assert statuses == [0, 0, 0]
