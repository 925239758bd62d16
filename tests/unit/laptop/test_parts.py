"""The processes of a run: restarted when they die, ended with all that they started, whoever dies first."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localaws.testing.instances import alive
from localaws.testing.waiting import wait_for
from postrank.laptop.services.processes import DEATHS, PartDied, Parts, Program

ROOT = Path(__file__).resolve().parents[3]
INSTANCE = "LOCALAWS_INSTANCE_FOLDER"
# A part whose child has a session of its own, as a process of an instance has, and a child that overwrote what the
# system shows of its environment, as Airflow and Postgres do. Each writes its process id into the folder.
FAMILY = """
import os, signal, subprocess, sys
from pathlib import Path
folder = Path(sys.argv[1])
elsewhere = "import os, signal, sys; open(sys.argv[1], 'w').write(str(os.getpid())); signal.pause()"
for name, environment in (
    ("marked", os.environ),
    ("instance", {"LOCALAWS_INSTANCE_FOLDER": str(folder / "instances" / "i-1")}),
):
    words = [sys.executable, "-c", elsewhere, str(folder / f"{name}.pid")]
    subprocess.Popen(words, env=environment, start_new_session=True)
subprocess.Popen([sys.executable, "-c", elsewhere, str(folder / "unmarked.pid")], env={})
(folder / "leader.pid").write_text(str(os.getpid()))
signal.pause()
"""
RUN = """
import signal, sys
from pathlib import Path
from postrank.laptop.services.processes import Parts, Program
folder = Path(sys.argv[1])
with Parts(folder, instances=folder / "instances") as parts:
    parts.start("family", Program(argv=[sys.executable, "-c", sys.argv[2], str(folder)], env={}, cwd=folder))
    signal.pause()
"""
NAMES = ("leader", "marked", "instance", "unmarked")


def script(text: str, folder: Path, *words: str) -> Program:
    return Program(argv=[sys.executable, "-c", textwrap.dedent(text), *words], env={}, cwd=folder)


def pid_in(path: Path) -> int:
    """The process id in a file, once it is written."""
    return int(wait_for(lambda: path.exists() and path.read_text(), what=path.name))


def gone(pid: int) -> bool:
    return not alive(pid)


@pytest.fixture
def run(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs the family among its parts."""
    with subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path), FAMILY], cwd=ROOT) as process:
        yield process
        process.kill()


def test_a_part_that_is_killed_is_restarted_with_a_notice(tmp_path: Path) -> None:
    notices: list[str] = []
    with Parts(tmp_path, notice=notices.append) as parts:
        parts.start("sleeper", script("import signal; signal.pause()", tmp_path))
        first = parts.process_id("sleeper")
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: parts.process_id("sleeper") != first, what="the restart")
        parts.check()
        assert parts.restarts == 1
    assert notices == [f"sleeper was killed by SIGKILL; restarting it in 0.25 s (log: {tmp_path / 'sleeper.log'})"]


def test_a_part_that_dies_on_every_start_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    notices: list[str] = []
    with Parts(tmp_path, notice=notices.append) as parts:
        parts.start("brief", script("print('the reason'); raise SystemExit(3)", tmp_path))
        with pytest.raises(PartDied, match=rf"(?s)brief ended with status 3 for the {DEATHS}th time.*the reason"):
            parts.wait_until("brief", lambda: False, 120)
    assert len(notices) == DEATHS - 1


def test_what_a_dead_part_started_is_ended_before_its_restart(tmp_path: Path) -> None:
    with Parts(tmp_path, instances=tmp_path / "instances") as parts:
        parts.start("family", script(FAMILY, tmp_path, str(tmp_path)))
        child = pid_in(tmp_path / "unmarked.pid")
        os.kill(parts.process_id("family"), signal.SIGKILL)
        wait_for(lambda: gone(child), what="the end of its child")
        wait_for(lambda: parts.restarts, what="the restart")


def test_parts_end_with_all_that_they_started(tmp_path: Path) -> None:
    with Parts(tmp_path, instances=tmp_path / "instances") as parts:
        parts.start("family", script(FAMILY, tmp_path, str(tmp_path)))
        pids = [pid_in(tmp_path / f"{name}.pid") for name in NAMES]
    assert [pid for pid in pids if not gone(pid)] == []


def test_a_killed_run_leaves_no_process(run: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    pids = [pid_in(tmp_path / f"{name}.pid") for name in NAMES]
    guardians = psutil.Process(run.pid).children()
    run.kill()
    wait_for(lambda: all(map(gone, pids)), what="the end of all processes")
    assert psutil.wait_procs(guardians, timeout=30)[1] == []


def test_a_run_whose_guardian_was_killed_gets_another(run: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    pids = [pid_in(tmp_path / f"{name}.pid") for name in NAMES]

    def guardian() -> psutil.Process | None:
        for child in psutil.Process(run.pid).children():
            with contextlib.suppress(psutil.Error):  # it ended meanwhile
                if "postrank.laptop.services.guardian" in child.cmdline():
                    return child
        return None

    first = wait_for(guardian, what="the guardian")
    first.kill()
    wait_for(lambda: (second := guardian()) and second.pid != first.pid, what="another guardian")
    run.kill()
    wait_for(lambda: all(map(gone, pids)), what="the end of all processes")


def test_the_end_of_a_run_leaves_processes_alone_that_are_not_its_own(tmp_path: Path) -> None:
    environment = {INSTANCE: str(tmp_path / "of-another-run")}
    with subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True) as other:
        with Parts(tmp_path, instances=tmp_path / "instances") as parts:
            parts.start("sleeper", script("import signal; signal.pause()", tmp_path))
        assert other.poll() is None
        other.kill()
