"""The processes of a run: each in a process group of its own, with a log file, started and stopped as one."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postrank.errors import Fatal

STOP_SECONDS = 8.0  # what a part gets to end by itself before it is killed
_KILL_SECONDS = 5.0  # what the system gets to clear away what was killed
_TAIL_LINES = 12


class PartDied(Fatal):
    """A part of the run ended though it should be up."""

    def __init__(self, name: str, status: int, log: Path, tail: str) -> None:
        super().__init__(f"{name} ended with status {status}; the end of {log}:\n{tail}")
        self.name, self.status, self.log = name, status, log


class PartTooSlow(Fatal):
    """A part of the run did not answer in time."""

    def __init__(self, name: str, seconds: float, log: Path, tail: str) -> None:
        super().__init__(f"{name} did not answer within {seconds:.0f} s; the end of {log}:\n{tail}")
        self.name, self.log = name, log


@dataclass(slots=True)
class Part:
    """One running process and its log."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raise PartDied when the process has ended."""
        status = self.process.poll()
        if status is not None:
            raise PartDied(self.name, status, self.log, tail(self.log))

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process, not to its group: Airflow's parts wait in vain for children ended behind
        their backs.
        """
        if self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        """Return when no process of the group is left; from `deadline` (monotonic seconds) on they are killed."""
        self._wait_for_group(deadline)
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._wait_for_group(time.monotonic() + _KILL_SECONDS)

    def _wait_for_group(self, deadline: float) -> None:
        while _group_alive(self.process) and time.monotonic() < deadline:
            time.sleep(0.05)


@dataclass(slots=True)
class Parts:
    """All processes of a run. A context manager: leaving it stops them."""

    logs: Path
    _parts: dict[str, Part] = field(default_factory=dict)

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> Part:
        """Start one part; its output goes to `<logs>/<name>.log`."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        part = Part(name=name, process=process, log=log)
        self._parts[name] = part
        return part

    def process_id(self, name: str) -> int:
        """The process of a part."""
        return self._parts[name].process.pid

    def check(self) -> None:
        """Raise PartDied for the first part that has ended."""
        for part in self._parts.values():
            part.check()

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready` says so; raises PartDied, or PartTooSlow after `seconds`."""
        part = self._parts[name]
        deadline = time.monotonic() + seconds
        while not ready():
            part.check()
            if time.monotonic() > deadline:
                raise PartTooSlow(name, seconds, part.log, tail(part.log))
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop every part: all at once, but for the first started, which serves the others and goes last."""
        first, *others = self._parts.values() or (None,)
        for group in (others, [first] if first else []):
            for part in group:
                part.ask_to_end()
            deadline = time.monotonic() + STOP_SECONDS
            for part in group:
                part.end(deadline)
        self._parts.clear()

    def __enter__(self) -> "Parts":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, indented."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"  (no log: {error})"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # the group is gone, which is what was asked for


def _group_alive(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()  # reaps the leader, which would otherwise count as alive
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
