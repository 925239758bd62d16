"""The processes of a run, whoever their parent is by now.

A process belongs to a run by its session, which a part leads; by the run's mark in its environment, which reaches
processes that leave the session; by the local AWS's instance that it runs on; or by being the child of such a process.
One sign alone does not do: Airflow and Postgres overwrite the environment that the system shows of them.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

MARK = "POSTRANK_PART_OF"
_INSTANCE = "LOCALAWS_INSTANCE_FOLDER"  # in the environment of all that the local AWS runs on an instance
_KILL_SECONDS = 10.0  # what the system gets to clear away killed processes
_LOOK_SECONDS = 0.05


class Leftovers:
    """Finds and ends the processes of the run that has `mark`, with its instances' folders below `instances`."""

    def __init__(self, mark: str, instances: Path | None = None) -> None:
        self.mark = mark
        self.instances = instances
        self.sessions: set[int] = set()

    def processes(self) -> list[psutil.Process]:
        """Those that run now, the sessions' own among them."""
        return _with_children({process.pid for process in psutil.process_iter() if self._belongs(process)})

    def end(self, patience: float) -> int:
        """End them: the leaders of the sessions are asked first and get `patience` seconds, then all are killed.

        Returns how many had to be killed.
        """
        for leader in self.sessions:
            _send(leader, signal.SIGTERM)
        _wait_until_gone(self, time.monotonic() + patience)
        return _kill(self)

    def _belongs(self, process: psutil.Process) -> bool:
        if session_of(process.pid) in self.sessions:
            return True
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            return False
        folder = environment.get(_INSTANCE, "")
        on_instance = bool(self.instances and folder and Path(folder).is_relative_to(self.instances))
        return on_instance or environment.get(MARK) == self.mark


class Session:
    """The processes of one session and their children, of which some may have a session of their own."""

    def __init__(self, leader: int) -> None:
        self._leader = leader

    def processes(self) -> list[psutil.Process]:
        return _with_children({pid for pid in psutil.pids() if session_of(pid) == self._leader})

    def end(self, deadline: float) -> None:
        """Wait for them until `deadline` (monotonic seconds), then kill those that are left."""
        _wait_until_gone(self, deadline)
        _kill(self)


def session_of(pid: int) -> int:
    """The session of a process; 0 when the process is gone or out of reach."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _with_children(pids: set[int]) -> list[psutil.Process]:
    """The running processes of `pids` and all below them, without this one."""
    running = {process.pid: process for process in psutil.process_iter(["ppid", "status"])}
    size = -1
    while len(pids) != size:
        size = len(pids)
        pids |= {pid for pid, process in running.items() if process.info["ppid"] in pids}
    alive = [process for pid, process in running.items() if pid in pids and pid != os.getpid()]
    return [process for process in alive if process.info["status"] != psutil.STATUS_ZOMBIE]


def _wait_until_gone(group: Leftovers | Session, deadline: float) -> bool:
    while group.processes():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _kill(group: Leftovers | Session) -> int:
    killed = set()
    deadline = time.monotonic() + _KILL_SECONDS
    while (processes := group.processes()) and time.monotonic() < deadline:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()
            killed.add(process.pid)
        time.sleep(_LOOK_SECONDS)
    return len(killed)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
