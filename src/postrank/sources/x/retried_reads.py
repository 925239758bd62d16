"""Asking X within its limit, and again while it is troubled: for reads that nobody resumes page by page."""

import random
import threading
import time
from collections.abc import Callable, Generator

from postrank.documents import Document
from postrank.sources import Batch
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, Limit, pause
from postrank.sources.x.api import XUnavailable
from postrank.sources.x.reconnecting import QUARTER

_ATTEMPTS = 6
_LATER = 5.0  # seconds behind a reset within which it is asked again: not all clients at the very moment


def patiently(
    ask: Callable[[], Document], limit: Limit, stopped: threading.Event
) -> Generator[Batch, None, Document | None]:
    """What `ask` returns, in the end; None when stopped first. Raises XUnavailable after several attempts."""
    troubled = Backoff(first=1.0, longest=60.0)
    limited = Backoff(first=60.0, longest=QUARTER)
    for attempt in range(1, _ATTEMPTS + 1):
        yield from pause(limit.due(), stopped, heard=True)
        limit.note()
        try:
            return (yield from aside(ask, stopped, heard=True))
        except XUnavailable as error:
            if attempt == _ATTEMPTS:
                raise
            wait = limited.failed() if error.status == 429 else troubled.failed()
            if error.reset:
                until_reset = min(error.reset - time.time(), QUARTER)
                wait = max(wait, until_reset + random.uniform(0.0, _LATER))  # noqa: S311 no secret
            yield from pause(wait, stopped, heard=True)
    return None
