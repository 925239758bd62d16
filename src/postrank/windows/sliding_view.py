"""The newest 60 seconds, in steps of 5: who wrote most just now."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

from postrank.windows.author_numbers import Numbers

STEP_MS = 5_000
STEPS = 12  # in 60 s


def slot_of(moment: int) -> int:
    """The slot of an instant (ms since 1970); the next one begins after `(slot + 1) * STEP_MS`."""
    return (moment - 1) // STEP_MS


def _numbers() -> Numbers:
    return array("i")


@dataclass(slots=True)
class Sliding:
    """Authors' numbers in slots `(t - 5 s, t]`; a window is the last twelve, as running totals.

    Posts that are older than the last window are passed over.
    """

    rows: int = 40  # authors that are emitted for a step, those with most posts; 0 emits none
    _slots: dict[int, Numbers] = field(default_factory=dict)  # a number for each post
    _totals: list[int] = field(default_factory=list)  # by number: posts in the twelve slots up to `_done`
    _done: int | None = None  # the newest step that was taken

    def add(self, slot: int, numbers: Sequence[int]) -> None:
        """Count a post of one slot for each number."""
        if self._done is None or slot > self._done - STEPS:
            self._slots.setdefault(slot, _numbers()).extend(numbers)
            if self._done is not None and slot <= self._done:
                _count(self._totals, numbers, 1)

    def take(self, newest_ms: int | None, *, ended: bool) -> Iterator[tuple[int, int, int]]:
        """The windows of the steps that event time has passed since the last call: author's number, end (ms), posts.

        A step emits the authors that wrote in its last 5 s, those with most posts in its 60 s. `ended`: the last, too.
        """
        if newest_ms is None:
            return
        passed = slot_of(newest_ms) - (0 if ended else 1)
        for slot in sorted(s for s in self._slots if s <= passed and (self._done is None or s > self._done)):
            self._advance(slot)
            for number in nlargest(self.rows, set(self._slots[slot]), key=self._totals.__getitem__):
                yield number, (slot + 1) * STEP_MS, self._totals[number]
        if self._done is None or passed > self._done:
            self._advance(passed)

    def top(self, number: int, newest_ms: int) -> list[tuple[int, int]]:
        """Who wrote most in the 60 s up to an instant, whatever is dated later: author's number, posts."""
        newest = slot_of(newest_ms)
        totals = self._totals[:]
        for slot, numbers in self._slots.items():
            if self._done is None or slot > self._done:
                if newest - STEPS < slot <= newest:
                    _count(totals, numbers, 1)
            elif slot <= newest - STEPS:
                _count(totals, numbers, -1)
        best = nlargest(number, range(len(totals)), key=totals.__getitem__)
        return [(author, totals[author]) for author in best if totals[author]]

    def alive(self) -> Iterable[Numbers]:
        """The numbers that are in use."""
        return self._slots.values()

    def renumber(self, renumbered: Sequence[int]) -> None:
        """Take over new numbers, by old ones."""
        self._totals = []
        for slot, numbers in self._slots.items():
            self._slots[slot] = array("i", map(renumbered.__getitem__, numbers))
            if self._done is not None and slot <= self._done:
                _count(self._totals, self._slots[slot], 1)

    def _advance(self, slot: int) -> None:
        """Let the totals be those of the window that ends with `slot`."""
        for old in [s for s in self._slots if s <= slot - STEPS]:
            numbers = self._slots.pop(old)
            if self._done is not None and old <= self._done:
                _count(self._totals, numbers, -1)
        for new in [s for s in self._slots if s <= slot and (self._done is None or s > self._done)]:
            _count(self._totals, self._slots[new], 1)
        self._done = slot


def _count(totals: list[int], numbers: Sequence[int], by: int) -> None:
    # A list, not an array: adding to it takes less than half the time, for 4 bytes more an author.
    totals += [0] * (max(numbers) + 1 - len(totals))
    for number in numbers:
        totals[number] += by
