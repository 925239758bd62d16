"""How many rejected lines of a file are stored an hour: enough to see why, too few to fill a disk."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

STORED_PER_HOUR = 1_000


@dataclass(slots=True)
class Quota:
    """A number of lines by source and hour. Not for several threads."""

    per_hour: int = STORED_PER_HOUR
    _hour: datetime | None = None
    _stored: Counter[str] = field(default_factory=Counter)
    _left_out: Counter[str] = field(default_factory=Counter)

    def admits(self, source: str, now: datetime) -> bool:
        """Whether one more line of a source is to be stored; one that is not is counted."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._stored.clear()
        if self._stored[source] < self.per_hour:
            self._stored[source] += 1
            return True
        self._left_out[source] += 1
        return False

    def take_left_out(self) -> dict[str, int]:
        """How many lines of each source were not stored since the last call."""
        left_out = dict(self._left_out)
        self._left_out.clear()
        return left_out
