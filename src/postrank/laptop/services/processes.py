"""The processes of a run: each in a session of its own, with a log file, restarted when it dies, stopped as one."""

import contextlib
import signal
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from postrank.errors import Fatal
from postrank.laptop.services.guardian import Guardian
from postrank.laptop.services.leftovers import MARK, Leftovers, Session

STOP_SECONDS = 8.0  # what a part gets to end by itself before it is killed
DEATHS = 5  # so many deaths of a part ...
WITHIN_SECONDS = 600.0  # ... within this time end the run
_BACKOFF_SECONDS = 0.25  # before the first restart; it doubles with each death within the time
_LOOK_SECONDS = 0.2
_TAIL_LINES = 12


class PartDied(Fatal):
    """A part of the run keeps ending though it should be up."""

    def __init__(self, name: str, status: int, deaths: int, log: Path) -> None:
        super().__init__(
            f"{name} {_ending(status)} for the {deaths}th time in {WITHIN_SECONDS / 60:.0f} minutes; "
            f"the end of {log}:\n{tail(log)}"
        )
        self.name = name
        self.status = status
        self.log = log


class PartTooSlow(Fatal):
    """A part of the run did not answer in time."""

    def __init__(self, name: str, seconds: float, log: Path) -> None:
        super().__init__(f"{name} did not answer within {seconds:.0f} s; the end of {log}:\n{tail(log)}")
        self.name = name
        self.log = log


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How a part is started and stopped. A `server` is used by the other parts and stops after them."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    server: bool = False
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(slots=True)
class Part:
    """A part with its current process; `restart_at` (monotonic seconds) while it waits to be started again."""

    name: str
    program: Program
    log: Path
    process: "subprocess.Popen[bytes]"
    restart_at: float | None = None
    deaths: deque[float] = field(default_factory=deque)

    def died(self, now: float) -> None:
        """Record a death, and forget those that are too old to count."""
        self.deaths.append(now)
        while self.deaths[0] < now - WITHIN_SECONDS:
            self.deaths.popleft()

    def ask_to_end(self) -> None:
        """Signal the process, not its group: Airflow's parts wait in vain for children ended behind their backs."""
        if self.process.poll() is None:
            self.process.send_signal(self.program.stop_signal)


class Parts:
    """All processes of a run. A context manager: inside it dead parts are restarted, leaving it stops all.

    `notice` gets a sentence about every death. `instances` is the folder below which the local AWS keeps the files of
    its instances, whose processes end with the run.
    """

    def __init__(
        self, logs: Path, *, instances: Path | None = None, notice: Callable[[str], None] | None = None
    ) -> None:
        self.logs = logs
        self.restarts = 0
        self._notice = notice or (lambda _sentence: None)
        self._parts: dict[str, Part] = {}
        self._failure: PartDied | None = None
        self._mark = uuid.uuid4().hex
        self._leftovers = Leftovers(self._mark, instances)
        self._guardian = Guardian(self._leftovers)
        self._turn = threading.RLock()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="parts", daemon=True)

    def start(self, name: str, program: Program) -> None:
        """Start one part; its output goes to `<logs>/<name>.log`."""
        log = self.logs / f"{name}.log"
        with self._turn:
            self._parts[name] = Part(name, program, log, self._launched(program, log))

    def process_id(self, name: str) -> int:
        """The process of a part."""
        return self._parts[name].process.pid

    def check(self) -> None:
        """Raise PartDied for a part that died too often."""
        if self._failure is not None:
            raise self._failure

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Return when `ready` says so; raises PartDied, or PartTooSlow after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise PartTooSlow(name, seconds, self._parts[name].log)
            time.sleep(0.05)

    def stop_part(self, name: str) -> None:
        """Stop one part and forget it."""
        with self._turn:
            part = self._parts.pop(name)
            self._stop([part])

    def stop(self) -> None:
        """Stop every part, the servers last, and whatever else the run has started."""
        self._closing.set()
        if self._watcher.is_alive():
            self._watcher.join()
        with self._turn:
            self._stop([part for part in self._parts.values() if not part.program.server])
            self._stop([part for part in self._parts.values() if part.program.server])
            self._parts.clear()
            self._leftovers.end(patience=0)
            self._guardian.stop()

    def __enter__(self) -> "Parts":
        self._guardian.start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launched(self, program: Program, log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as out:
            process = subprocess.Popen(
                list(program.argv),
                env={**program.env, MARK: self._mark},
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._guardian.add(process.pid)
        return process

    def _stop(self, parts: list[Part]) -> None:
        for part in parts:
            part.ask_to_end()
        deadline = time.monotonic() + STOP_SECONDS
        for part in parts:
            # Reaped first: a dead leader that nobody waited for would count as one of its session.
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.process.wait(max(0.0, deadline - time.monotonic()))
            self._end_session(part, deadline)

    def _end_session(self, part: Part, deadline: float) -> None:
        Session(part.process.pid).end(deadline)
        part.process.wait()
        self._guardian.remove(part.process.pid)

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_SECONDS):
            with self._turn:
                self._guardian.check()
                for part in self._parts.values():
                    self._look_after(part)

    def _look_after(self, part: Part) -> None:
        now = time.monotonic()
        if self._failure is not None:
            return
        if part.restart_at is None:
            if part.process.poll() is not None:
                self._bury(part, now)
        elif now >= part.restart_at:
            part.restart_at = None
            part.process = self._launched(part.program, part.log)

    def _bury(self, part: Part, now: float) -> None:
        """End what a dead part left, and have it restarted unless it died too often."""
        status = part.process.returncode
        self._end_session(part, now)
        part.died(now)
        deaths = len(part.deaths)
        if deaths >= DEATHS:
            self._failure = PartDied(part.name, status, deaths, part.log)
            return
        pause = _BACKOFF_SECONDS * 2 ** (deaths - 1)
        part.restart_at = now + pause
        self.restarts += 1
        self._notice(f"{part.name} {_ending(status)}; restarting it in {pause:g} s (log: {part.log})")


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, indented."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"  (no log: {error})"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:]) or "  (empty)"


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was killed by {signal.Signals(-status).name}"
