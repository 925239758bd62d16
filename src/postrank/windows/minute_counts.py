"""Counts by minute and author: a log of authors' numbers while a minute is open, sorted pairs once it is closed."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Self

from postrank.windows.author_numbers import Numbers

MINUTE_MS = 60_000


def minute_of(moment: int) -> int:
    """The minute of an instant (ms since 1970)."""
    return moment // MINUTE_MS


def _numbers() -> Numbers:
    return array("i")


@dataclass(slots=True)
class _Closed:
    """A minute's authors, sorted by number, and the posts of each."""

    numbers: Numbers
    posts: Numbers

    @classmethod
    def of(cls, log: Iterable[int]) -> Self:
        counts = sorted(Counter(log).items())
        return cls(array("i", [number for number, _ in counts]), array("i", [posts for _, posts in counts]))

    def add(self, number: int, posts: int) -> int:
        """Count posts of an author; the author's new total."""
        place = bisect_left(self.numbers, number)
        if place == len(self.numbers) or self.numbers[place] != number:
            self.numbers.insert(place, number)
            self.posts.insert(place, 0)
        self.posts[place] += posts
        return self.posts[place]


@dataclass(slots=True)
class Minutes:
    """Minutes since 1970. `add`; then `changes`, `merge` and `close`, in this order."""

    closed: int | None = None  # minutes up to this one are final
    forgotten: int | None = None  # minutes up to this one are no longer kept
    _new: dict[int, Numbers] = field(default_factory=dict)  # since the last `merge`; a number for each post
    _open: dict[int, Numbers] = field(default_factory=dict)
    _closed: dict[int, _Closed] = field(default_factory=dict)
    _too_late: int = 0

    @property
    def last(self) -> int | None:
        """The newest minute that has a post."""
        return max([*self._new, *self._open], default=self.closed)

    def add(self, minute: int, numbers: Sequence[int]) -> None:
        """Count a post for each number."""
        log = self._new.get(minute)
        if log is None:
            log = self._new[minute] = _numbers()
        log.extend(numbers)

    def changes(self) -> dict[str, list[int]]:
        """What was added since the last `merge`, for the journal: by minute, a number for each post."""
        return {str(minute): log.tolist() for minute, log in self._new.items()}

    def merge(self) -> Iterator[tuple[int, int, int]]:
        """Take in what was added; yields what has grown though it was final: minute, author's number, posts."""
        for minute, log in self._new.items():
            if self.forgotten is not None and minute <= self.forgotten:
                self._too_late += len(log)
            elif self.closed is not None and minute <= self.closed:
                closed = self._closed.setdefault(minute, _Closed(_numbers(), _numbers()))
                for number, posts in Counter(log).items():
                    yield minute, number, closed.add(number, posts)
            elif minute in self._open:
                self._open[minute].extend(log)
            else:
                self._open[minute] = log
        self._new = {}

    def close(self, closing: int | None) -> list[int]:
        """Let the minutes up to `closing` be final; returns those that had posts, in their order."""
        if closing is None or (self.closed is not None and closing <= self.closed):
            return []
        minutes = sorted(minute for minute in self._open if minute <= closing)
        for minute in minutes:
            self._closed[minute] = _Closed.of(self._open.pop(minute))
        self.closed = closing
        return minutes

    def closed_counts(self, minute: int, start: int, end: int) -> list[tuple[int, int]]:
        """Authors' numbers and posts of a closed minute, from one place of its order to another."""
        closed = self._closed[minute]
        return list(zip(closed.numbers[start:end], closed.posts[start:end], strict=True))

    def restore(self, changes: Mapping[str, list[int]], closed: int | None) -> None:
        """Take over `changes` or `snapshot`, and the minute up to which windows were emitted."""
        for minute, log in changes.items():
            self.add(int(minute), log)
        for _ in self.merge():
            pass
        self.close(closed)

    def snapshot(self) -> dict[str, list[int]]:
        """All of it, as `restore` takes it."""
        minutes = {str(minute): log.tolist() for minute, log in self._open.items()}
        for minute, closed in self._closed.items():
            log = (repeat(number, posts) for number, posts in zip(closed.numbers, closed.posts, strict=True))
            minutes[str(minute)] = list(chain.from_iterable(log))
        return minutes

    def forget(self, retained: int) -> int:
        """Let the oldest closed minutes go while more author-minutes than `retained` are kept.

        Returns how many posts came too late for a minute that is gone, since the last call.
        """
        numbers_retained = sum(len(closed.numbers) for closed in self._closed.values())
        if numbers_retained > retained:
            for minute in sorted(self._closed):
                numbers_retained -= len(self._closed.pop(minute).numbers)
                self.forgotten = minute
                if numbers_retained <= retained * 0.9:
                    break
        late = self._too_late
        self._too_late = 0
        return late

    def alive(self) -> Iterable[Numbers]:
        """The numbers that are in use."""
        return [*self._open.values(), *(closed.numbers for closed in self._closed.values())]

    def renumber(self, renumbered: Sequence[int]) -> None:
        """Take over new numbers, by old ones; they are in the same order."""
        for minute, log in self._open.items():
            self._open[minute] = array("i", map(renumbered.__getitem__, log))
        for closed in self._closed.values():
            closed.numbers = array("i", map(renumbered.__getitem__, closed.numbers))
