"""How long the local AWS's emulator takes to be what it was, with and without a snapshot of its journal.

Prints seconds of a process that takes up a state of so many calls: the whole journal replayed, then with the snapshot.

    uv run python benchmarks/localaws_snapshot.py [--calls 5000]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from localaws.emulator.backend import Emulator
from localaws.emulator.client import call

LOAD = "import sys; from pathlib import Path; from localaws.emulator.backend import Emulator; "
LOAD += "Emulator(Path(sys.argv[1]), snapshots=False).load()"


def seconds(*argv):
    """Of a Python process with these arguments."""
    started = time.monotonic()
    subprocess.run([sys.executable, *argv], check=True)
    return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=5000)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder:
        empty = seconds("-c", LOAD, str(Path(folder) / "empty"))
        state = Path(folder) / "state"
        emulator = Emulator(state, snapshots=False)
        call(emulator, "glue", "CreateDatabase", {"DatabaseInput": {"Name": "d"}})
        for number in range(calls - 1):
            call(emulator, "glue", "CreateTable", {"DatabaseName": "d", "TableInput": {"Name": f"t{number}"}})
        emulator.close()
        replayed = seconds("-c", LOAD, str(state))
        made = seconds("-m", "localaws.emulator.snapshot_process", str(state))
        taken_up = seconds("-c", LOAD, str(state))
        size = sum(path.stat().st_size for path in state.glob("journal.sqlite*")) / calls
    print(f"empty state {empty:.1f} s; {calls:,} calls: replayed {replayed:.1f} s, from the snapshot {taken_up:.1f} s")
    print(f"making the snapshot {made:.1f} s; {size:.0f} bytes of journal a call")


if __name__ == "__main__":
    main()
