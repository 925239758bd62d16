"""Noticing that a stream which is not silent has all but dried up."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

_SPANS = 10  # that make up the usual volume
_LEAST = 60.0  # posts in a usual span, below which nothing can be concluded


@dataclass(slots=True)
class VolumeWatch:
    """Compares the posts of the last span with the mean of the ten before; `share` 0 never complains."""

    share: float  # of the usual volume, below which it has fallen away
    seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _spans: "deque[int]" = field(default_factory=lambda: deque(maxlen=_SPANS))
    _count: int = 0
    _since: float | None = None

    def fallen(self, posts: int) -> bool:
        """Note posts (perhaps none); True when a span has just ended with far fewer than usual."""
        now = self.clock()
        if self._since is None:
            self._since = now
        self._count += posts
        if now - self._since < self.seconds:
            return False
        usual = sum(self._spans) / len(self._spans) if len(self._spans) == _SPANS else 0.0
        fallen = usual >= _LEAST and self._count < usual * self.share
        if fallen:
            self._spans.clear()  # whatever comes after the reconnection is the new usual
        else:
            self._spans.append(self._count)
        self._count = 0
        self._since = now
        return fallen
