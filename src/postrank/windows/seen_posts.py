"""Which posts were counted already: a bounded memory of the newest ids, so that a post sent twice counts once."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """Remembers at least the newest `horizon` ids, and at most twice as many and a batch."""

    horizon: int = 200_000
    _now: set[str] = field(default_factory=set)  # two generations: the older one goes when the newer one is full
    _before: set[str] = field(default_factory=set)
    _new: list[str] = field(default_factory=list)

    def add(self, keys: Sequence[str]) -> Sequence[int]:
        """Note ids; the places of those that are new, the first of each."""
        places: Sequence[int] = range(len(keys))
        if not (self._now.isdisjoint(keys) and self._before.isdisjoint(keys)):
            places = [place for place in places if keys[place] not in self._now and keys[place] not in self._before]
        before = len(self._now)
        self._now.update(keys if len(places) == len(keys) else [keys[place] for place in places])
        if len(self._now) < before + len(places):  # one of them stands there twice
            first = {keys[place]: place for place in reversed(places)}
            places = sorted(first.values())
        self._new += keys if len(places) == len(keys) else [keys[place] for place in places]
        if len(self._now) >= self.horizon:
            self._before, self._now = self._now, set()
        return places

    def take_new(self) -> list[str]:
        """The ids added since the last call."""
        new = self._new
        self._new = []
        return new

    def restore(self, keys: Sequence[str]) -> None:
        """Know the ids that were taken before a restart."""
        for start in range(0, len(keys), self.horizon):
            self.add(keys[start : start + self.horizon])
        self._new = []

    def all(self) -> list[str]:
        """All ids that are remembered, older ones first."""
        return [*self._before, *self._now]
