"""Write a snapshot of the journal in a folder: `python -m localaws.emulator.snapshot_process FOLDER`."""

import logging
import os
import sys
from pathlib import Path

from localaws.emulator.backend import Emulator

_NICE = 10


def main(folder: Path) -> None:
    """Write the snapshot; status 1 where it cannot be written."""
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
