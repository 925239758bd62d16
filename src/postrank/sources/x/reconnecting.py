"""When X may be called again: a pause for each kind of failure, and never too many connections in a quarter of an hour.

X API, "Handling disconnections": network errors +250 ms up to 16 s, HTTP errors 5 s doubling up to 320 s, 429 from a
minute doubling, or until the reset that the answer names; 50 connections in 15 minutes.
"""

import time
from dataclasses import dataclass, field

from postrank.sources.net.backoff import Backoff, Limit
from postrank.sources.x.api import XUnavailable

CONNECTS = 50
QUARTER = 900.0  # connections in as many seconds


@dataclass(slots=True)
class Reconnecting:
    """The pauses of one stream."""

    network: Backoff = field(default_factory=lambda: Backoff(first=0.25, longest=16.0, step=0.25))
    http: Backoff = field(default_factory=lambda: Backoff(first=5.0, longest=320.0))
    limited: Backoff = field(default_factory=lambda: Backoff(first=60.0, longest=QUARTER))
    connections: Limit = field(default_factory=lambda: Limit(CONNECTS, QUARTER))

    def worked(self) -> None:
        """The stream gave something: begin again with the shortest pauses."""
        for backoff in (self.network, self.http, self.limited):
            backoff.reset()

    def seconds_after(self, error: Exception, *, crowded: bool) -> float:
        """How long to wait after a failure."""
        status = error.status if isinstance(error, XUnavailable) else 0
        if status == 429 or crowded:
            until_reset = (error.reset - time.time()) if isinstance(error, XUnavailable) and error.reset else 0.0
            return max(self.limited.failed(), min(until_reset, QUARTER))
        return self.http.failed() if status else self.network.failed()
