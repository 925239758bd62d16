"""Which posts were counted already: a bounded memory of the newest ids, so that a post sent twice counts once."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """Remembers at least the newest `horizon` ids, and at most twice as many."""

    horizon: int = 200_000
    now: set[str] = field(default_factory=set)  # two generations: the older one goes when the newer one is full
    before: set[str] = field(default_factory=set)
    new: list[str] = field(default_factory=list)

    def add(self, key: str) -> bool:
        """Whether the id is new; it is known from now on."""
        if key in self.now or key in self.before:
            return False
        self.now.add(key)
        self.new.append(key)
        self.rotate()
        return True

    def rotate(self) -> None:
        """Begin a new generation if this one is full. For a loop that does what `add` does by itself."""
        if len(self.now) >= self.horizon:
            self.before, self.now = self.now, set()

    def take_new(self) -> list[str]:
        """The ids added since the last call."""
        new, self.new = self.new, []
        return new

    def restore(self, keys: list[str]) -> None:
        """Know the ids that were taken before a restart."""
        for key in keys:
            self.add(key)
        self.new = []

    def all(self) -> list[str]:
        """All ids that are remembered, older ones first."""
        return [*self.before, *self.now]
