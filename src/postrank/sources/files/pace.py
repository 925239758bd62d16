"""The pace of a replay: posts come when they came, or N times as fast."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from postrank.sources import Batch

_TICK = 1.0  # seconds between signs of life while waiting


@dataclass(slots=True)
class Pace:
    """`speed` 0 never waits; 1 is real time; N is N times as fast. The first post sets the clock."""

    speed: float = 0.0
    _first: datetime | None = None
    _started: float = 0.0

    def until(self, posted_at: datetime, stopped: threading.Event) -> Iterator[Batch]:
        """Wait until a post of that event time is due (a late one is at once); yields signs of life meanwhile."""
        if self._first is None:
            self._first, self._started = posted_at, time.monotonic()
        due = self._started + (posted_at - self._first).total_seconds() / self.speed
        while (left := due - time.monotonic()) > 0 and not stopped.is_set():
            stopped.wait(min(left, _TICK))
            if left > _TICK:
                yield Batch(cursor=None)
