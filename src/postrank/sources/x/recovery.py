"""Filling gaps of the stream by recent search, between the stream's own batches, also when a restart comes between."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from postrank.posts.times import parse_rfc3339, to_text
from postrank.sources import Batch, Gap
from postrank.sources.spend import BudgetSpent
from postrank.sources.x.api import XRefused, XUnavailable
from postrank.sources.x.search import SETTLING, RecentSearch

log = logging.getLogger(__name__)
_AGAIN = timedelta(minutes=1)
_ATTEMPTS = 5
REACH = timedelta(days=7)  # of recent search
OVERLAP = timedelta(seconds=10)  # a post is streamed some seconds after it was written: those were perhaps under way


@dataclass(slots=True)
class _Waiting:
    gap: Gap
    due: datetime
    attempts: int = 0


@dataclass(slots=True)
class Recovery:
    """Gaps that are still to be searched. A gap that was filled is told a second time, with `recovered_by`.

    The source's cursor keeps what waits here: a gap leaves it with the last of the posts that fill it.
    """

    search: RecentSearch | None
    settling: timedelta = SETTLING
    _waiting: list[_Waiting] = field(default_factory=list)

    def wanted(self, gap: Gap) -> None:
        """Note a gap; it is searched once X's search has settled."""
        if self.search is not None and gap.until - gap.since >= timedelta(milliseconds=1):
            self._waiting.append(_Waiting(gap, gap.until + self.settling))

    def work(self, stopped: threading.Event) -> Iterator[Batch]:
        """The posts of the gaps that are due, and each gap again once it is filled."""
        now = datetime.now(UTC)
        for one in [one for one in self._waiting if one.due <= now]:
            yield from self._fill(one, stopped)

    def to_cursor(self) -> list[dict[str, str]]:
        """What waits."""
        gaps = (one.gap for one in self._waiting)
        return [{"from": to_text(gap.since), "to": to_text(gap.until), "reason": gap.reason} for gap in gaps]

    def resume(self, kept: Iterable[Mapping[str, str]]) -> None:
        """Go on with what waited when the cursor was saved."""
        for one in kept:
            since, until = parse_rfc3339(one["from"], "from"), parse_rfc3339(one["to"], "to")
            self.wanted(Gap(since=since, until=until, reason=one["reason"]))

    def _fill(self, one: _Waiting, stopped: threading.Event) -> Iterator[Batch]:
        assert self.search is not None  # noqa: S101 nothing waits without it
        try:
            yield from self.search.read(one.gap.since - OVERLAP, one.gap.until, stopped)
        except (XUnavailable, BudgetSpent, XRefused) as error:
            one.attempts += 1
            log.warning("gap not filled", extra={"fields": {"why": str(error), "attempt": one.attempts}})
            one.due = error.resumes if isinstance(error, BudgetSpent) else datetime.now(UTC) + _AGAIN
            hopeless = isinstance(error, XRefused) or (isinstance(error, XUnavailable) and one.attempts >= _ATTEMPTS)
            if hopeless or one.due - one.gap.since > REACH:
                self._waiting.remove(one)
            return
        if not stopped.is_set():
            self._waiting.remove(one)
            yield Batch(cursor=None, gaps=[replace(one.gap, recovered_by="recent-search")])
