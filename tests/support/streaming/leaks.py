"""What a process holds while a source reconnects again and again: file descriptors, threads, memory."""

import gc
import os
import threading
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from localaws.testing.waiting import wait_for
from tests.support.streaming.networks import NETWORKS, Network
from tests.support.streaming.source_reader import Reading, reading

_SETTLED = 20.0  # seconds in which threads and connections of the last reconnection end
# Beside what the network needs: no rest after many connections.
OPTIONS: dict[str, dict[str, Any]] = {"x": {"connects": 1_000_000}}


@dataclass(frozen=True, slots=True)
class Holdings:
    """What this process holds: the source's, and the fake network's."""

    descriptors: int
    threads: int
    resident_mb: float

    @classmethod
    def now(cls) -> "Holdings":
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
        return cls(descriptors, threading.active_count(), pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def reconnections(name: str, state: Path) -> Generator[int, None, None]:
    """Reads one of NETWORKS; yields the number of reconnections after each, with a post read on the new connection."""
    with NETWORKS[name]() as network, reading(network.source(state, **OPTIONS.get(name, {}))) as read:
        read.until(network.connected, "the connection")
        _read_post(network, read, 0)
        for number in count(1):
            opened = network.opened()
            network.disconnect()
            read.until(lambda opened=opened: network.opened() > opened and network.connected(), "a new connection")
            _read_post(network, read, number)
            read.batches.clear()
            yield number


def _read_post(network: Network, read: Reading, number: int) -> None:
    post_id = network.publish(number)
    read.until_ids(post_id)


def settled(limit: Holdings) -> Holdings:
    """What is held once descriptors and threads are within a limit, or when they did not come within it in time."""
    with suppress(AssertionError):
        wait_for(lambda: _within(Holdings.now(), limit), timeout=_SETTLED, what="descriptors and threads to be closed")
    return Holdings.now()


def _within(holdings: Holdings, limit: Holdings) -> bool:
    return holdings.descriptors <= limit.descriptors and holdings.threads <= limit.threads
