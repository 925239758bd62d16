"""What author windows cost: events a second on one core, memory at a million authors, memory over many events.

python -m benchmarks.windows [--events 2000000]
"""

import argparse
import gc
import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from postrank.posts import Post
from postrank.posts.times import to_text
from postrank.streamer.host.freed_memory import give_back
from postrank.windows.author_windows import AuthorWindows

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
BATCH = 500  # posts handed over at once, as the pump does
FAR = 2**62


def resident_mb() -> float:
    """This process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def batches(events: int, authors: int, rate: int) -> Iterator[list[Post]]:
    """Posts of `authors` authors in turn, `rate` of them a second of event time."""
    for first in range(0, events, BATCH):
        at = [to_text(START + timedelta(milliseconds=number * 1000 // rate)) for number in range(first, first + BATCH)]
        yield [
            Post(
                network="x",
                post_id=str(number),
                author_id=str(1_000_000 + number * 7919 % authors),
                posted_at=at[number - first],
                author_handle=f"sim_{number * 7919 % authors}",
            )
            for number in range(first, first + BATCH)
        ]


def run(windows: AuthorWindows, events: int, authors: int, rate: int) -> tuple[float, list[float]]:
    """CPU seconds within the windows, and resident megabytes at each fifth of the way."""
    spent, memory = 0.0, []
    for number, posts in enumerate(batches(events, authors, rate), 1):
        began = time.process_time()
        windows.add(posts, FAR)
        if number % 40 == 0:
            windows.take()
        spent += time.process_time() - began
        if number % (events // BATCH // 5) == 0:
            memory.append(resident_mb())
    return spent, memory


def many_authors(_: int) -> tuple[float, float]:
    """CPU seconds and megabytes that a million authors within 20 s take."""
    gc.set_threshold(200_000, 50, 100)
    before = resident_mb()
    windows = AuthorWindows(retained=1_000_000)
    spent, _ = run(windows, 1_000_000, authors=1_000_000, rate=50_000)
    give_back()  # as the streamer does every minute
    return spent, resident_mb() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    events = parser.parse_args().events
    gc.set_threshold(200_000, 50, 100)  # as `postrank stream` sets it
    spent, memory = run(AuthorWindows(), events, authors=20_000, rate=5_000)
    print(f"20,000 authors: {events / spent:,.0f} events/s; resident MB on the way {[round(mb) for mb in memory]}")
    with multiprocessing.get_context("spawn").Pool(1) as fresh:  # what the first case left behind would hide memory
        ((spent, grown),) = fresh.map(many_authors, [0])
    print(f"1,000,000 authors in 20 s: {1_000_000 / spent:,.0f} events/s; {grown:.0f} MB more")


if __name__ == "__main__":
    main()
