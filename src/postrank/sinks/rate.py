"""The rate at which a stream is written: as fast as it goes until much is refused, then a little below what was taken.

It is cut at once. From there it grows by a tenth a second, but below what the last cut left that told what the shards
take it grows faster with each second, up to twofold: an outage tells nothing of that. A few refused entries (one busy
shard) are left to the resends.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

CUT = 0.7
GROWTH = 0.1  # of what was taken in the last window; of the limit, each second
_MUCH = 0.1  # share of the bytes that were refused
_FLOOR = 50_000.0  # bytes a second: two records
_WINDOW = 1.0  # seconds over which taken and refused bytes are looked at


@dataclass(slots=True)
class Rate:
    """One stream's rate. Safe for several threads."""

    clock: Callable[[], float] = time.monotonic
    limit: float | None = None  # bytes a second; None: none
    _last_capacity: float = inf  # what the last cut left that told what the shards take
    _calm: int = 0  # windows since a cut
    _settling: bool = False  # that cut was in the last window
    _next: float = 0.0  # when the next call may start
    _taken: float = 0.0  # bytes in the present window
    _refused: float = 0.0
    _since: float | None = None  # when the window began
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def share(self, sizes: Iterable[int]) -> int:
        """How many entries of these sizes make at most a second's worth, one at least: more would be refused again."""
        with self._lock:
            limit = self.limit
        if limit is None:
            return sum(1 for _ in sizes)
        return max(1, bisect_right(list(accumulate(sizes)), limit))

    def pause(self, size: int) -> float:
        """Seconds until a call of `size` bytes may start; that time is then this call's."""
        with self._lock:
            if self.limit is None:
                return 0.0
            now = self.clock()
            start = max(self._next, now)
            self._next = start + size / self.limit
            return start - now

    def note(self, taken: int, refused: int) -> None:
        """Learn from a call: bytes that were taken, and bytes that were refused."""
        with self._lock:
            now = self.clock()
            self._since = now if self._since is None else self._since
            elapsed = now - self._since
            self._taken += taken
            self._refused += refused
            much = self._refused > _MUCH * (self._taken + self._refused)
            whole = elapsed >= _WINDOW
            cut = much and (whole or self.limit is None)
            if cut and self._settling and self._taken:
                self._settling = False  # these are the resends of what was sent at the old rate
            elif cut:
                self._cut(elapsed)
            elif whole and self.limit is not None:
                self._grow(self.limit, elapsed)
            if whole or cut:
                self._taken = 0.0
                self._refused = 0.0
                self._since = now

    def _cut(self, elapsed: float) -> None:
        before = self.limit
        self.limit = max(_FLOOR, CUT * self._taken / max(elapsed, 0.1))
        self._calm = 0
        self._settling = True
        # Some was taken, and so much was offered that the rate can have been what was wrong.
        if self._taken and before is not None and _FLOOR < before < 2 * (self._taken + self._refused) / elapsed:
            self._last_capacity = self.limit

    def _grow(self, limit: float, elapsed: float) -> None:
        quick = limit * (1 + min(GROWTH * 2.0**self._calm, 1.0) * elapsed)
        self.limit = max(limit * (1 + GROWTH * elapsed), min(quick, self._last_capacity))
        self._calm = self._calm + 1
        self._settling = False
