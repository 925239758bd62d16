"""The rate at which a stream is written: as fast as it goes until much is refused, then a little below what was taken.

It grows slowly and is cut at once. A few refused entries (one busy shard) are left to the resends.
"""

import threading
import time
from dataclasses import dataclass, field

CUT, GROWTH = 0.7, 0.1  # of what was taken in the last second; of the limit, each second
_MUCH = 0.1  # share of a call's entries that were refused
_FLOOR = 50_000.0  # bytes a second: two records
_WINDOW = 1.0  # seconds over which the taken bytes are looked at


@dataclass(slots=True)
class Rate:
    """One stream's rate. Safe for several threads."""

    limit: float | None = None  # bytes a second; None: none
    _next: float = 0.0  # when the next call may start
    _taken: float = 0.0  # bytes in the present window, and when it began
    _since: float = field(default_factory=time.monotonic)
    _measured: float = 0.0  # bytes a second, in the last whole window
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, size: int, stopping: threading.Event) -> None:
        """Return when a call of `size` bytes may start, or at once when stopping."""
        with self._lock:
            if self.limit is None:
                return
            start = max(self._next, time.monotonic())
            self._next = start + size / self.limit
        stopping.wait(max(0.0, start - time.monotonic()))

    def note(self, taken: int, refused_share: float) -> None:
        """Learn from a call: bytes that were taken, and the share of its entries that were not."""
        with self._lock:
            self._taken += taken
            elapsed = time.monotonic() - self._since
            if elapsed >= _WINDOW:
                self._measured = self._taken / elapsed
                self._taken, self._since = 0.0, time.monotonic()
                if self.limit is not None:
                    self.limit += self.limit * GROWTH * elapsed
            if refused_share > _MUCH and (self.limit is None or elapsed >= _WINDOW):
                known = self._measured or self._taken / max(elapsed, 0.1)
                self.limit = max(_FLOOR, known * CUT)
