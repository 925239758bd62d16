"""How long to wait: growing, jittered pauses, limits on calls, and the waiting itself with signs of life."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from postrank.sources import Batch
from postrank.sources.net.shared_document import SharedDocument

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
    """At most `calls` in any `seconds`; with `path`, over restarts and all processes that name the same file.

    Calls are counted by the second, and each counts until all of its second is past: a few are made late, none early.
    """

    calls: int
    seconds: float
    path: Path | None = None
    clock: Callable[[], float] = time.time  # one that a restart does not begin anew
    _counts: dict[str, int] = field(default_factory=dict)  # calls by the second since 1970
    _document: SharedDocument[dict[str, int]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.path is not None:
            self._document = SharedDocument(self.path, {})

    def due(self) -> float:
        """How many seconds to wait before the next call."""
        if self._document is not None:
            self._counts = self._document.refresh()
        now = self.clock()
        if any(int(second) > now for second in self._counts):
            self._put_back()
        left = self.calls
        for second, calls in sorted(self._recent(self._counts, now).items(), reverse=True):
            left -= calls
            if left <= 0:
                return second + 1 + self.seconds - now
        return 0.0

    def note(self) -> None:
        """Count a call that is made now; durably, where the calls are kept, before this returns."""
        if self._document is None:
            self._counts = self._noted(self._counts)
        else:
            self._document.change(self._noted)

    def _put_back(self) -> None:
        """Count calls as made now that a clock dated later, before it was put back: else they would never be past."""
        if self._document is None:
            self._counts = self._dated(self._counts)
        else:
            self._document.change(self._dated)
            self._counts = self._document.value

    def _dated(self, counts: Mapping[str, int]) -> dict[str, int]:
        return {str(second): calls for second, calls in self._recent(counts, self.clock()).items()}

    def _noted(self, counts: Mapping[str, int]) -> dict[str, int]:
        now = self.clock()
        recent = self._recent(counts, now)
        recent[int(now)] = recent.get(int(now), 0) + 1
        return {str(second): calls for second, calls in recent.items()}

    def _recent(self, counts: Mapping[str, int], now: float) -> dict[int, int]:
        """The calls that still count. A clock that was put back makes none of them later than now."""
        recent: dict[int, int] = {}
        for second, calls in counts.items():
            if int(second) + 1 + self.seconds > now:
                at = min(int(second), int(now))
                recent[at] = recent.get(at, 0) + calls
        return recent


def pause(seconds: float, stopped: threading.Event, *, heard: bool = False) -> Iterator[Batch]:
    """Wait, with an empty batch every quarter of a second; ends early when stopped."""
    due = time.monotonic() + seconds
    while not stopped.is_set() and (left := due - time.monotonic()) > 0:
        stopped.wait(min(left, TICK))
        yield Batch(cursor=None, heard=heard)
