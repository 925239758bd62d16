"""Processes of `make run` are killed one after the other: the ranking still comes, and nothing is left in the end."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localaws.testing.waiting import wait_for
from postrank.laptop.setup.ports import any_free
from tests.support.stack.laptop_run import ROOT, Stack, command, exported, running_stack, share_cache

pytestmark = [pytest.mark.slow, pytest.mark.in_file_order, pytest.mark.system, pytest.mark.timeout(1800)]

PATIENCE = 300.0
# A word of each part's command line. Those that serve the others come in between, so that each dies under load.
PARTS = {
    "api-server": "api-server",
    "scheduler": "scheduler",
    "localaws": "localaws",
    "dag-processor": "dag-processor",
    "postgres": "postgres",
    "triggerer": "triggerer",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("deaths")) as running:
        yield running


def part(stack: Stack, name: str) -> psutil.Process | None:
    """The running process of a part, which leads a session and is a child of `postrank up`."""
    for child in psutil.Process(stack.process.pid).children():
        with contextlib.suppress(psutil.Error):
            if PARTS[name] in [Path(word).name for word in child.cmdline()]:
                return child
    return None


def manager(stack: Stack) -> psutil.Process | None:
    """The process manager of the streamer's instance."""
    for process in psutil.Process(stack.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "supervisor.supervisord" in process.cmdline():
                return process
    return None


def test_the_ranking_comes_though_every_part_is_killed_once(stack: Stack) -> None:
    for name in PARTS:
        first = wait_for(lambda name=name: part(stack, name), timeout=PATIENCE, what=f"{name}:\n{stack.said()}")
        first.kill()

        def again(name: str = name, first: psutil.Process = first) -> bool:
            assert stack.process.poll() is None, stack.said()
            second = part(stack, name)
            return second is not None and second.pid != first.pid

        wait_for(again, timeout=PATIENCE, what=f"another {name}")
        if name == "localaws":
            wait_for(lambda: manager(stack), timeout=PATIENCE, what="the instance's process manager").kill()
    stack.wait_until_ranked()
    said = stack.said()
    assert [name for name in PARTS if f"! {name} was killed by SIGKILL; restarting it in" not in said] == []
    assert exported(stack.var / "results", "all")[0]["author_handle"] == "sim_vika0"


def test_nothing_is_left_of_a_run_that_is_killed_itself(stack: Stack) -> None:
    before = psutil.Process(stack.process.pid).children(recursive=True)
    backends = [process for process in before if process.ppid() == part(stack, "postgres").pid]
    assert backends
    assert manager(stack) in before
    stack.process.send_signal(signal.SIGKILL)
    stack.process.wait()
    assert psutil.wait_procs(before, timeout=PATIENCE)[1] == []


def test_a_part_that_never_starts_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    var = tmp_path / "var"
    share_cache(var)
    state = var / "aws" / "state"
    words = ["--var", str(var), "--port", str(any_free()), "--aws-port", str(any_free()), "--keep"]
    (state / "lock").mkdir(parents=True)  # where the local AWS needs a file
    ended = subprocess.run(
        command("--project", str(ROOT), *words), capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert ended.returncode == 2
    assert "localaws ended with status 1 for the 5th time" in ended.stderr
    assert f"the state cannot be kept in {state}" in ended.stderr
