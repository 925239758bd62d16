"""Which posts were counted already: a bounded memory of the newest ids, so that a post sent twice counts once."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """Remembers at least the newest `horizon` ids, and at most twice as many."""

    horizon: int = 200_000
    _now: set[str] = field(default_factory=set)
    _before: set[str] = field(default_factory=set)
    _new: list[str] = field(default_factory=list)

    def add(self, key: str) -> bool:
        """Whether the id is new; it is known from now on."""
        if key in self._now or key in self._before:
            return False
        self._now.add(key)
        self._new.append(key)
        if len(self._now) >= self.horizon:
            self._before, self._now = self._now, set()
        return True

    def take_new(self) -> list[str]:
        """The ids added since the last call."""
        new, self._new = self._new, []
        return new

    def restore(self, keys: list[str]) -> None:
        """Know the ids that were taken before a restart."""
        for key in keys:
            self.add(key)
        self._new = []

    def all(self) -> list[str]:
        """All ids that are remembered, older ones first."""
        return [*self._before, *self._now]
