"""A forked program is what `python -m` would have started: its words, environment, streams, signals and status."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localaws.testing.forked import ForkedProcess, Template

PROGRAM = """
import json, os, signal, sys, threading
threading.Thread(target=lambda: print("a thread to wait for", file=sys.stderr)).start()
seen = {"argv": sys.argv[1:], "cwd": os.getcwd(), "told": os.environ.get("TOLD"), "imported": os.environ.get("ADDED"),
        "chld": str(signal.getsignal(signal.SIGCHLD)), "home": "HOME" in os.environ}
print(json.dumps(seen), flush=True)
if sys.argv[1:] == ["wait"]:
    signal.pause()
sys.exit(int(sys.argv[1]) if sys.argv[1:] else None)
"""


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    (tmp_path / "forked_program.py").write_text(PROGRAM)
    (tmp_path / "forked_import.py").write_text('import os\nos.environ.setdefault("ADDED", "by an import")\n')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    template = Template("forked_program", ["forked_import"])
    yield template
    template.close()


def start(template: Template, folder: Path, *words: str, **env: str) -> ForkedProcess:
    with (folder / "stderr").open("wb") as stderr:
        return template.start(words, env=env, stdout=subprocess.PIPE, stderr=stderr.fileno(), cwd=folder)


def test_threads_that_start_the_first_copies_at_once_share_a_template(template: Template, tmp_path: Path) -> None:
    """A second template would be dropped, and would end its copies."""
    begin = threading.Barrier(4)

    def started(number: int) -> ForkedProcess:
        folder = tmp_path / str(number)
        folder.mkdir()
        begin.wait()
        return start(template, folder, "wait")

    with ThreadPoolExecutor(4) as threads:
        processes = list(threads.map(started, range(4)))
    for process in processes:
        assert process.stdout is not None
        with process.stdout:
            assert json.loads(process.stdout.readline())["argv"] == ["wait"]
        process.kill()
        assert process.wait(20) == -signal.SIGKILL


def test_words_environment_folder_and_streams_are_those_asked_for(template: Template, tmp_path: Path) -> None:
    process = start(template, tmp_path, "3", TOLD="this")
    assert process.stdout
    with process.stdout as stdout:
        seen = json.loads(stdout.read())
    assert process.wait(30) == 3
    assert seen == {
        "argv": ["3"], "cwd": str(tmp_path), "told": "this", "imported": "by an import",
        "chld": str(signal.SIG_DFL), "home": False,
    }  # fmt: skip
    assert (tmp_path / "stderr").read_text() == "a thread to wait for\n"


def test_a_signal_ends_it_and_the_status_tells_so(template: Template, tmp_path: Path) -> None:
    process = start(template, tmp_path, "wait")
    assert process.stdout
    with process.stdout as stdout:
        stdout.readline()
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.kill()
        assert process.wait(30) == -signal.SIGKILL
    process.terminate()  # what has ended is left alone


def test_copies_end_with_their_template(template: Template, tmp_path: Path) -> None:
    process = start(template, tmp_path, "wait")
    assert process.stdout
    with process.stdout as stdout:
        stdout.readline()
        template.close()
        assert stdout.read() == b""  # no process holds the other end any longer


def test_a_program_that_cannot_be_imported_is_told_by_its_status(tmp_path: Path) -> None:
    template = Template("no_such_program", [])
    process = start(template, tmp_path)
    assert process.stdout
    process.stdout.close()
    assert process.wait(30) == 1
    template.close()
    assert "No module named no_such_program" in (tmp_path / "stderr").read_text()
