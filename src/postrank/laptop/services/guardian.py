"""The guardian of a run: a process that ends all others of the run when the run itself is killed.

It reads the sessions of the parts from its standard input, which ends when `postrank up` ends, however that ends:
the kernel closes the pipe of a killed process, too, on Linux and macOS alike.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TextIO

from postrank.laptop.services.leftovers import Leftovers

PATIENCE_SECONDS = 8.0  # what the parts get to end by themselves before they are killed
_STOP_SECONDS = 30.0
_ADDED = "+"
_REMOVED = "-"


class Guardian:
    """Starts the process, restarts it when it dies, and keeps it informed of the sessions of `leftovers`."""

    def __init__(self, leftovers: Leftovers) -> None:
        self._leftovers = leftovers
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = [self._leftovers.mark, str(self._leftovers.instances or "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        for session in self._leftovers.sessions:
            self._write(_ADDED, session)

    def check(self) -> None:
        """Start it again if it has died."""
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def add(self, session: int) -> None:
        self._leftovers.sessions.add(session)
        self._write(_ADDED, session)

    def remove(self, session: int) -> None:
        self._leftovers.sessions.discard(session)
        self._write(_REMOVED, session)

    def stop(self) -> None:
        """Let it end what is left, and itself."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _write(self, sign: str, session: int) -> None:
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # it died: `check` starts another, which learns all sessions
            self._process.stdin.write(f"{sign}{session}\n")
            self._process.stdin.flush()


def guard(leftovers: Leftovers, sessions: TextIO) -> None:
    """Follow the sessions until the run ends, then end what it left."""
    for line in sessions:
        session = int(line[1:])
        if line.startswith(_ADDED):
            leftovers.sessions.add(session)
        else:
            leftovers.sessions.discard(session)
    leftovers.end(PATIENCE_SECONDS)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the run, not before
    os.chdir("/")
    mark, instances = sys.argv[1:3]
    guard(Leftovers(mark, Path(instances) if instances else None), sys.stdin)


if __name__ == "__main__":
    main()
