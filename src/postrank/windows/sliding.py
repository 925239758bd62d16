"""The newest 60 seconds, in steps of 5: who wrote most just now."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nlargest
from operator import itemgetter

STEP_MS = 5_000
STEPS = 12  # in 60 s


@dataclass(slots=True)
class Sliding:
    """Counts in slots `(t - 5 s, t]`; a window is the last twelve, as running totals. Older posts are passed over."""

    rows: int = 40  # authors that are emitted for a step, those with most posts; 0 emits none
    _slots: dict[int, dict[str, int]] = field(default_factory=dict)
    _totals: dict[str, int] = field(default_factory=dict)  # of the twelve slots up to `_done`
    _done: int | None = None  # the newest step that was taken

    def slot(self, slot: int) -> tuple[dict[str, int], ...]:
        """The counts in which a post of slot `(moment_ms - 1) // STEP_MS` is counted; they hold until `take`."""
        if self._done is None or slot > self._done:
            return (self._slots.setdefault(slot, {}),)
        if slot <= self._done - STEPS:
            return ()
        return self._slots.setdefault(slot, {}), self._totals

    def take(self, newest_ms: int | None, *, ended: bool = False) -> Iterator[tuple[str, int, int]]:
        """The windows of the steps that event time has passed since the last call: author, end (ms), posts.

        A step emits the authors that wrote in its last 5 s, those with most posts in its 60 s. `ended`: the last, too.
        """
        if newest_ms is None:
            return
        passed = (newest_ms - 1) // STEP_MS - (0 if ended else 1)
        for slot in sorted(s for s in self._slots if s <= passed and (self._done is None or s > self._done)):
            self._advance(slot)
            totals = self._totals
            wrote = ((author, totals[author]) for author in self._slots[slot])
            for author, posts in nlargest(self.rows, wrote, key=itemgetter(1, 0)):
                yield author, (slot + 1) * STEP_MS, posts
        if self._done is None or passed > self._done:
            self._advance(passed)

    def top(self, number: int) -> list[tuple[str, int]]:
        """Who wrote most in the newest 60 s that were counted."""
        if not self._slots:
            return []
        newest = max(self._slots)
        totals: dict[str, int] = {}
        for slot in range(newest - STEPS + 1, newest + 1):
            for author, posts in self._slots.get(slot, {}).items():
                totals[author] = totals.get(author, 0) + posts
        return nlargest(number, totals.items(), key=itemgetter(1, 0))

    def _advance(self, slot: int) -> None:
        """Let the totals be those of the window that ends with `slot`."""
        totals = self._totals
        for old in [s for s in self._slots if s <= slot - STEPS]:
            counted = self._done is not None and old <= self._done
            for author, posts in self._slots.pop(old).items():
                if counted:
                    left = totals[author] - posts
                    if left:
                        totals[author] = left
                    else:
                        del totals[author]
        for new in [s for s in self._slots if s <= slot and (self._done is None or s > self._done)]:
            for author, posts in self._slots[new].items():
                totals[author] = totals.get(author, 0) + posts
        self._done = slot
