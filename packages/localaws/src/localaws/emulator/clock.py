"""The emulator's clock: the wall clock, but in a replay, when each call is given the time at which it was made."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_replayed = threading.local()


def utcnow() -> datetime:
    """The time in UTC without a zone, as the emulator keeps it."""
    moment: datetime | None = getattr(_replayed, "moment", None)
    return moment or datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def at(moment: float) -> Iterator[None]:
    """Within, in this thread, it is `moment` (seconds since the epoch)."""
    _replayed.moment = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
    try:
        yield
    finally:
        _replayed.moment = None


def install() -> None:
    """Make the emulator's services, which are imported later, use this clock."""
    import moto.core.utils

    moto.core.utils.utcnow = utcnow
