"""Gaps that are read again, page by page beside the stream that goes on, also when restarts come between.

What waits, and the place that each gap has been read up to, is part of the source's cursor: a gap leaves it with the
last of the posts that fill it, and what was read of it (and perhaps paid for) is not read again.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from postrank.posts.times import parse_rfc3339, to_text
from postrank.sources import Batch, Gap
from postrank.sources.net.background import Work
from postrank.sources.net.backoff import TICK

log = logging.getLogger(__name__)


class NotNow(Exception):
    """A page cannot be had for `seconds`; the gap waits."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class NotAtAll(Exception):
    """The network does not give this span, and will not later."""


@dataclass(slots=True)
class Waiting:
    """A gap that is still to be read, `[since, until)` of it; or an edge of one, at which some was read already."""

    gap: Gap
    since: datetime
    until: datetime
    due: datetime  # when the network knows all of it
    place: str | None = None  # where its reading goes on, in the network's own form; None: at its beginning
    edge: bool = False
    paused_until: float = 0.0  # on the monotonic clock, which no correction of the time of day moves


class Pager(Protocol):
    """Reads a gap a page at a time."""

    recovered_by: str

    def due(self) -> float:
        """Seconds until the network may be asked for a page."""
        ...

    def ask(self, waiting: Waiting) -> tuple[Batch, str | None]:
        """A page, and the place at which the next one begins; None when there is none. In a thread of its own.

        Raises NotNow, NotAtAll.
        """
        ...


@dataclass(slots=True)
class Recovery:
    """The gaps of one stream. Without a pager none is read again. A gap that was filled is told a second time.

    With an `overlap`, the whole seconds around the ends of a gap and the time before it are read first and by
    themselves: posts that are there were read from the stream, too, and who counts posts must still know their ids. The
    rest of the gap may take its time.
    """

    pager: Pager | None
    settling: timedelta = timedelta()  # before a gap is read, so that the network knows all that was posted in it
    overlap: timedelta = timedelta()  # before a gap, in which posts were perhaps still on their way
    _waiting: list[Waiting] = field(default_factory=list)
    _pending: "tuple[Waiting, Work[tuple[Batch, str | None]]] | None" = None

    def enqueue(self, gap: Gap, place: str | None = None) -> None:
        """Note a gap."""
        if self.pager is None or gap.until - gap.since < timedelta(milliseconds=1):
            return
        since, until, due = gap.since, gap.until, second_after(gap.until) + self.settling
        if self.overlap:
            since = second_after(since)
            until = until.replace(microsecond=0)
            for start, end in ((gap.since - self.overlap, since), (until, second_after(gap.until))):
                if start < end:
                    self._waiting.append(Waiting(gap, start, end, max(end, gap.since) + self.settling, edge=True))
        self._waiting.append(Waiting(gap, since, until, due, place))

    def work(self) -> Batch | None:
        """A page that has come, or the gap that it filled, told again; asks for the next one. Never waits."""
        if self.pager is None:
            return None
        if self._pending is not None and self._pending[1].is_alive():
            return None
        batch = None if self._pending is None else self._answered(*self._pending)
        self._pending = self._ask(self.pager)
        return batch

    def pace(self) -> float:
        """How long the stream may be waited for until there may be `work`."""
        return TICK if self._pending is None else TICK / 50

    def to_cursor(self) -> list[dict[str, str]]:
        """What waits."""
        return [_row(waiting) for waiting in self._waiting]

    def resume(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Go on with what waited when the cursor was saved, and with nothing else."""
        self._waiting = []
        self._pending = None
        for row in rows:
            start = parse_rfc3339(row["from"], "from")
            end = parse_rfc3339(row["to"], "to")
            gap = Gap(since=start, until=end, reason=row["reason"])
            if "until" not in row:  # of an earlier version
                self.enqueue(gap)
            elif self.pager is not None:
                since = parse_rfc3339(row["since"], "since")
                until = parse_rfc3339(row["until"], "until")
                due = max(until, end) + self.settling
                edge = "edge" in row
                self._waiting.append(Waiting(gap, since, until, due, row.get("place"), edge))

    def _ask(self, pager: Pager) -> "tuple[Waiting, Work[tuple[Batch, str | None]]] | None":
        """Ask for the next page, if there is a gap that is due and the network may be asked."""
        now = datetime.now(UTC)
        edges = {waiting.gap for waiting in self._waiting if waiting.edge}  # these come first
        due = [
            waiting
            for waiting in self._waiting
            if waiting.due <= now
            and waiting.paused_until <= time.monotonic()
            and (waiting.edge or waiting.gap not in edges)
        ]
        waiting = next((waiting for waiting in due if waiting.edge), next(iter(due), None))
        if waiting is None or pager.due() > 0:
            return None
        return waiting, Work(partial(pager.ask, waiting))

    def _answered(self, waiting: Waiting, work: "Work[tuple[Batch, str | None]]") -> Batch | None:
        """Take in what a page brought, or why it did not come."""
        if isinstance(work.error, NotNow):
            waiting.paused_until = time.monotonic() + work.error.seconds
            fields = {"why": str(work.error), "seconds": round(work.error.seconds)}
            log.warning("gap not filled yet", extra={"fields": fields})
            return None
        if isinstance(work.error, NotAtAll):
            self._waiting.remove(waiting)
            log.error("gap not filled", extra={"fields": {"why": str(work.error), **_row(waiting)}})
            return None
        if work.error is not None:
            raise work.error
        assert work.result is not None  # noqa: S101 it has not raised
        batch, waiting.place = work.result
        if waiting.place is None:
            self._filled(waiting)
            if waiting.edge:
                return batch
            by = self.pager.recovered_by if self.pager else None
            batch.gaps.append(replace(waiting.gap, recovered_by=by, again=True))
        return batch

    def _filled(self, waiting: Waiting) -> None:
        """What was read of this gap need not be read of others: the overlaps of a series of restarts add up."""
        self._waiting.remove(waiting)
        for other in self._waiting:
            if other.place is None and waiting.since <= other.since < waiting.until:
                other.since = waiting.until


def second_after(moment: datetime) -> datetime:
    """The moment, or the next whole second."""
    return moment.replace(microsecond=0) + timedelta(seconds=bool(moment.microsecond))


def _row(waiting: Waiting) -> dict[str, str]:
    row = {"from": to_text(waiting.gap.since), "to": to_text(waiting.gap.until), "reason": waiting.gap.reason}
    row |= {"since": to_text(waiting.since), "until": to_text(waiting.until)}
    row |= {"edge": "yes"} if waiting.edge else {}
    return row if waiting.place is None else {**row, "place": waiting.place}
