"""When a snapshot is due: a process of its own (`localaws.emulator.snapshot_process`) makes it."""

import subprocess
import sys
from pathlib import Path

EVERY = 500  # calls, of which a start replays about a thousand a second


class Snapshotter:
    """Starts the making of a snapshot when enough calls were kept since the last one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._since = 0
        self._process: subprocess.Popen[bytes] | None = None

    def count(self, calls: int) -> None:
        """So many more calls are in the journal and in no snapshot."""
        self._since += calls
        if self._since < EVERY or (self._process is not None and self._process.poll() is None):
            return
        self._since = 0
        argv = [sys.executable, "-m", "localaws.emulator.snapshot_process", str(self._folder)]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        """End a process that is at work; the journal has what its snapshot would have had."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
