"""How long to wait: growing, jittered pauses, limits on calls, and the waiting itself with signs of life."""

import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from postrank.sources import Batch

TICK = 0.25  # seconds between signs of life while waiting


@dataclass(slots=True)
class Backoff:
    """Pauses in seconds: `first`, then doubled (or, with `step`, that much longer), never above `longest`."""

    first: float
    longest: float
    step: float | None = None
    _next: float = 0.0

    def failed(self) -> float:
        """The pause after one more failure: 75 to 100 % of the rule's, lest many clients come back at once."""
        pause = self._next or self.first
        self._next = min(pause + self.step if self.step is not None else pause * 2, self.longest)
        return min(pause, self.longest) * random.uniform(0.75, 1.0)  # noqa: S311 no secret

    def reset(self) -> None:
        """It worked: begin again with `first`."""
        self._next = 0.0


@dataclass(slots=True)
class Limit:
    """At most `calls` in any `seconds`."""

    calls: int
    seconds: float
    _times: "deque[float]" = field(default_factory=deque)

    def due(self) -> float:
        """How many seconds to wait before the next call."""
        now = time.monotonic()
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        return self._times[0] + self.seconds - now if len(self._times) >= self.calls else 0.0

    def note(self) -> None:
        """Count a call that is made now."""
        self._times.append(time.monotonic())


def pause(seconds: float, stopped: threading.Event, *, heard: bool = False) -> Iterator[Batch]:
    """Wait, with an empty batch every quarter of a second; ends early when stopped."""
    due = time.monotonic() + seconds
    while not stopped.is_set() and (left := due - time.monotonic()) > 0:
        stopped.wait(min(left, TICK))
        yield Batch(cursor=None, heard=heard)
