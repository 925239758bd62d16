"""Filling gaps of the stream by recent search, between the stream's own batches."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from postrank.sources import Batch, Gap
from postrank.sources.spend import BudgetSpent
from postrank.sources.x.api import XRefused, XUnavailable
from postrank.sources.x.search import SETTLING, RecentSearch

log = logging.getLogger(__name__)
_AGAIN = timedelta(minutes=1)
_ATTEMPTS = 5


@dataclass(slots=True)
class Recovery:
    """Gaps that are still to be searched. A gap that was filled is told a second time, with `recovered_by`."""

    search: RecentSearch | None
    settling: timedelta = SETTLING
    _waiting: list[tuple[datetime, int, Gap]] = field(default_factory=list)  # from when on, attempts made, the gap

    def wanted(self, gap: Gap) -> None:
        """Note a gap; it is searched once X's search has settled."""
        if self.search is not None:
            self._waiting.append((gap.until + self.settling, 0, gap))

    def work(self, stopped: threading.Event) -> Iterator[Batch]:
        """The posts of the gaps that are due, and each gap again once it is filled."""
        now = datetime.now(UTC)
        due = [one for one in self._waiting if one[0] <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        for _, attempts, gap in due:
            yield from self._fill(gap, attempts, stopped)

    def _fill(self, gap: Gap, attempts: int, stopped: threading.Event) -> Iterator[Batch]:
        if self.search is None or gap.until - gap.since < timedelta(milliseconds=1):
            return
        try:
            yield from self.search.read(gap.since, gap.until, stopped)
        except (XUnavailable, BudgetSpent, XRefused) as error:
            log.warning("gap not filled", extra={"fields": {"why": str(error), "attempt": attempts + 1}})
            if isinstance(error, XUnavailable) and attempts + 1 < _ATTEMPTS:
                self._waiting.append((datetime.now(UTC) + _AGAIN, attempts + 1, gap))
            return
        if not stopped.is_set():
            yield Batch(cursor=None, gaps=[replace(gap, recovered_by="recent-search")])
