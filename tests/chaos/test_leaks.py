"""Reconnecting often leaves nothing behind; `benchmarks/source_leaks.py` watches it for as long as one likes."""

from itertools import islice
from pathlib import Path

import pytest

from tests.support.streaming.leaks import Holdings, reconnections, settled
from tests.support.streaming.networks import NETWORKS

WARM_UP = 5
RECONNECTIONS = 30
MEGABYTES = 15.0  # noise of the allocator; a connection that is kept holds a buffer of 64 KiB and its TLS state


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_descriptors_threads_and_memory_do_not_grow_with_reconnections(name: str, tmp_path: Path) -> None:
    running = reconnections(name, tmp_path)
    list(islice(running, WARM_UP))
    before = Holdings.now()
    list(islice(running, RECONNECTIONS))
    limit = Holdings(before.descriptors + 3, before.threads + 3, before.resident_mb + MEGABYTES)
    after = settled(limit)
    running.close()
    assert after.descriptors <= limit.descriptors
    assert after.threads <= limit.threads
    assert after.resident_mb <= limit.resident_mb
