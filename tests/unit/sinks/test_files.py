"""The sink that writes files: rotation by size and time, what a crash or a full disk leaves, nothing torn."""

import gzip
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localaws.testing.waiting import wait_for
from postrank.sinks import POSTS, WINDOWS, Record, Unavailable
from postrank.sinks.files import FilesSink


def line(number: int, stream: str = POSTS, *, gzipped: bool = False, size: int = 0) -> Record:
    data = b'{"n": %d, "filling": "%s"}\n' % (number, b"." * size)
    return Record(stream, "0001", gzip.compress(data) if gzipped else data, 1)


def sink(folder: Path, *, max_bytes: int = 1 << 20, max_seconds: float = 3600, gzipped: bool = False) -> FilesSink:
    return FilesSink(folder, max_bytes=max_bytes, max_seconds=max_seconds, gzipped=gzipped)


def finished(folder: Path, stream: str = POSTS) -> list[bytes]:
    paths = sorted((folder / stream).glob("*.ndjson*"))
    return [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths]


def test_a_file_that_is_large_enough_is_moved_to_the_finished_ones(tmp_path: Path) -> None:
    writer = sink(tmp_path, max_bytes=100)
    writer.put([line(1), line(2, WINDOWS)])
    assert finished(tmp_path) == []
    writer.put([line(3, size=80)])
    assert len(finished(tmp_path)) == 1
    assert [path.name for path in (tmp_path / "open").iterdir()] == [f"{WINDOWS}.ndjson"]
    writer.close()
    assert len(finished(tmp_path, WINDOWS)) == 1


def test_a_file_that_is_old_enough_is_finished_though_nothing_more_is_written(tmp_path: Path) -> None:
    writer = sink(tmp_path, max_seconds=0.2)
    writer.put([line(1)])
    wait_for(lambda: finished(tmp_path), what="the rotation")
    assert writer.gauges() == {"files_finished": 1.0}
    writer.close()


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    "torn",
    [b"", b'{"n": 3, "fill', gzip.compress(b"unfinished" * 99)[:-20]],
    ids=["nothing", "half a line", "half a member"],  # a gzip member holds the time, and processes must agree on names
)
def test_what_a_crash_left_is_cut_back_to_its_last_whole_write_and_gone_on_with(
    tmp_path: Path, gzipped: bool, torn: bytes
) -> None:
    writer = sink(tmp_path, gzipped=gzipped)
    writer.put([line(1, gzipped=gzipped), line(2, gzipped=gzipped)])
    [left] = (tmp_path / "open").iterdir()
    with left.open("ab") as file:
        file.write(torn)
    again = sink(tmp_path, gzipped=gzipped)  # the first one is dead: it never closed its file
    again.put([line(3, gzipped=gzipped)])
    again.close()
    assert b"".join(finished(tmp_path)) == line(1).data + line(2).data + line(3).data


@pytest.mark.parametrize("left", [b"", b"half a line", b"." * (3 << 20)])
def test_a_file_without_a_whole_line_is_begun_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / f"{POSTS}.ndjson").write_bytes(left)
    writer = sink(tmp_path)
    assert list((tmp_path / "open").iterdir()) == []
    writer.put([line(1)])
    writer.close()
    assert finished(tmp_path) == [line(1).data]


def test_a_last_line_that_is_longer_than_what_is_read_at_once_is_cut_off_whole(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / f"{POSTS}.ndjson").write_bytes(line(1).data + b"." * (2 << 20))
    sink(tmp_path).close()
    assert finished(tmp_path) == [line(1).data]


def test_a_file_of_another_form_is_finished_when_the_form_is_changed(tmp_path: Path) -> None:
    sink(tmp_path).put([line(1)])
    again = sink(tmp_path, gzipped=True)
    assert finished(tmp_path) == [line(1).data]
    again.put([line(2, gzipped=True)])
    again.close()
    assert sorted(finished(tmp_path)) == [line(1).data, line(2).data]


@contextmanager
def little_room(size: int) -> Iterator[None]:
    """Within, this process may write files of so many bytes: as on a full disk, a larger write ends in the middle.

    It holds for the log of the tests, too, if that is a file: do nothing else within.
    """
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_is_full_leaves_no_half_line_and_names_what_is_left(tmp_path: Path) -> None:
    writer = sink(tmp_path)
    writer.put([line(1)])
    lines = [line(2, WINDOWS), line(3, size=1000)]
    with little_room(1000), pytest.raises(Unavailable) as away:
        writer.put(lines)
    assert [record.stream for record in away.value.left] == [POSTS]
    writer.put([line(4)])
    writer.close()
    assert finished(tmp_path) == [line(1).data + line(4).data]
    assert finished(tmp_path, WINDOWS) == [line(2, WINDOWS).data]


def test_a_kill_at_any_moment_leaves_every_line_that_was_acknowledged(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.unit.sinks.test_files import line, sink\n"
        "writer, n = sink(Path(sys.argv[1]), max_bytes=5000), 0\n"
        "while True:\n    writer.put([line(n)]); print(n, flush=True); n += 1\n"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout
        said = [int(process.stdout.readline()) for _ in range(500)]
        process.kill()
        said += [int(one) for one in process.stdout.read().split()]
    sink(tmp_path).close()
    assert b"".join(finished(tmp_path)).splitlines(keepends=True)[: len(said)] == [line(n).data for n in said]
