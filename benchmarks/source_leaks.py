"""Leak watch: a source reconnects for minutes; descriptors, threads and memory of the process must not grow.

    python -m benchmarks.source_leaks [--network bluesky] [--minutes 10]

Prints what the process holds ten times; exits with 1 where it grew after the first tenth.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.support.streaming.leaks import Holdings, reconnections, settled
from tests.support.streaming.networks import NETWORKS

LOOKS = 10
DESCRIPTORS = 3  # a connection that is being made or closed
THREADS = 3
MEGABYTES = 15.0  # noise of the allocator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=list(NETWORKS), default="bluesky")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    interval = options.minutes * 60 / LOOKS
    logging.disable(logging.WARNING)  # each reconnection is one
    due = time.monotonic() + interval
    history: list[Holdings] = []
    with tempfile.TemporaryDirectory() as folder:
        running = reconnections(options.network, Path(folder))
        for number in running:
            if time.monotonic() >= due:
                due += interval
                history.append(Holdings.now())
                print(f"{number:6} reconnections: {history[-1]}", flush=True)
            if len(history) == LOOKS:
                break
        first = history[0]
        limit = Holdings(first.descriptors + DESCRIPTORS, first.threads + THREADS, first.resident_mb + MEGABYTES)
        last = settled(limit)
        running.close()
    grown = [name for name in Holdings.__slots__ if getattr(last, name) > getattr(limit, name)]
    sys.exit(f"grown: {', '.join(grown)}: {first} became {last}" if grown else 0)


if __name__ == "__main__":
    main()
