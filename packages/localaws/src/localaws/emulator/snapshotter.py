"""Having a snapshot made now and then, by a process of its own: `python -m localaws.emulator.snapshotter FOLDER`."""

import logging
import os
import subprocess
import sys
from pathlib import Path

EVERY = 500  # calls, of which a start replays about a thousand a second
_NICE = 10


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
        argv = [sys.executable, "-m", "localaws.emulator.snapshotter", str(self._folder)]
        self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        """End a process that is at work; the journal has what its snapshot would have had."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def main(folder: Path) -> None:
    """Write the snapshot of the journal in `folder`."""
    from localaws.emulator.backend import Emulator

    os.nice(_NICE)
    emulator = Emulator(folder, snapshots=False)
    emulator.load()
    try:
        emulator.save_snapshot()
    except Exception:  # whatever pickling raises at what moto holds: starts replay the journal, as before
        logging.getLogger(__name__).exception("no snapshot can be made")
        sys.exit(1)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    main(Path(sys.argv[1]))
