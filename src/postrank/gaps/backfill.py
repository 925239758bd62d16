"""One backfill: the span's posts to the posts stream, then the gap marked as recovered in the ledger."""

import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from postrank.documents import Document
from postrank.errors import Retryable
from postrank.gaps.reading_place import NoProgress, Progress
from postrank.gaps.span_sources import Past, Span
from postrank.posts.encoding import encode
from postrank.posts.times import to_text
from postrank.sinks import Record, Sink, Unavailable
from postrank.sinks.packing import Packer, too_large
from postrank.sources import Batch, Cursor, Gap
from postrank.streamer.engine.counts import Counts
from postrank.streamer.engine.ledgers import Ledgers, PutObject
from postrank.streamer.engine.originals import Originals

log = logging.getLogger(__name__)
_FLUSH_BYTES = 2 << 20
_LONGEST_PAUSE = 30.0


class LedgersAway(Retryable):
    """The ledgers' rows are on disk, and cannot be written to the bucket now."""


@dataclass(slots=True, kw_only=True)
class Backfill:
    """Reads a span again. Running it twice is harmless: the lake keeps one row of each post.

    A cursor is noted in `progress` once everything up to it is delivered; what is paid for is delivered at once.

    The windows of the second stream are not told again: SQL ranks every window that a late post belongs to.
    """

    past: Past
    span: Span
    sink: Sink
    packer: Packer
    ledgers: Ledgers
    put: PutObject
    collector: str
    originals: Originals | None = None  # where the networks' JSON is to be kept
    part: bool = False  # others read the same span too: none of them has recovered it alone
    progress: Progress = field(default_factory=NoProgress)
    counts: Counts = field(default_factory=Counts)
    delivered: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    _cursor: Cursor | None = None  # of the newest batch that is packed

    def run(self) -> Document:
        """All of it; returns the summary. Raises what ends reading early, after delivering what was read by then."""
        complete = False
        try:
            for batch in self.past.read(self.span, self.stopped, self.progress.place):
                self._cursor = batch.cursor or self._cursor
                self._absorb(batch)
                if self.packer.size >= _FLUSH_BYTES or (batch.cursor and self.past.is_paid):
                    self._deliver()
            complete = not self.stopped.is_set()
        finally:
            complete = self._deliver() and complete
            self._account(complete)
        if complete:
            self.progress.done()
        return self.summary(complete)

    def summary(self, complete: bool) -> Document:
        """What was done, for a log or a task that asked for it."""
        return {
            "collector": self.collector,
            "source": self.past.network,
            "from": to_text(self.span.since),
            "to": to_text(self.span.until),
            "complete": complete,
            "recovered_by": self.past.recovered_by if complete else None,
            "read": self.counts.read,
            "delivered": self.delivered,
            "rejected": self.counts.rejected,
            "ignored": self.counts.ignored,
            "outside_the_span": self.counts.filtered,
        }

    def _absorb(self, batch: Batch) -> None:
        received_at = to_text(datetime.now(UTC))
        events = batch.events
        batch.events = []
        sent: set[int] = set()
        for event in events:
            line = encode(event, received_at=received_at, collector=self.collector)
            if reject := too_large(line, event.source_cursor or self.past.network):
                batch.rejects.append(reject)
                continue
            batch.events.append(event)
            if getattr(self.past, "selects", False) or self.span.holds(event):
                self.packer.add([event.author_id or event.post_id], [line])
                sent.add(id(event))
            else:
                self.counts.filtered += 1
        if self.originals is not None:
            tally = self.originals.add((each for each in batch.originals if id(each.post) in sent), received_at)
            self.counts.originals += tally.rows
            self.counts.originals_too_large += tally.too_large
            self.counts.originals_left_out += tally.left_out
        self.counts.take(batch)
        self.ledgers.note_rejects(batch.rejects)
        self.ledgers.note_notices(self.past.network, batch.notices)

    def _deliver(self) -> bool:
        """Put what is packed and note how far that is; returns whether all of it was taken."""
        if not self._ship():
            return False
        if self._cursor is not None:
            self.ledgers.flush()
            if self.originals is not None:
                left_out = self.originals.flush()
                self.counts.originals -= left_out
                self.counts.originals_left_out += left_out
            self.progress.delivered(self._cursor)
            self._cursor = None
        return True

    def _ship(self) -> bool:
        """Put what is packed, however long AWS is away, unless stopped; returns whether all of it was taken."""
        lines = self.packer.lines
        left = self._put(self.packer.take())
        pause = 1.0
        while left and not self.stopped.is_set():
            self.stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 no secret
            left = self._put(left)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self.delivered += lines - sum(record.lines for record in left)
        return not left

    def _put(self, records: Sequence[Record]) -> Sequence[Record]:
        try:
            if records:
                self.sink.put(records)
        except Unavailable as away:
            log.warning("AWS is away", extra={"fields": {"why": away.why}})
            return away.left
        return ()

    def _originals_hop(self) -> dict[str, dict[str, int]]:
        """Write the networks' JSON to the bucket; returns its hop. What fails is on disk for the next backfill."""
        if self.originals is None:
            return {}
        counts = self.counts
        left_out = counts.originals_left_out + self.originals.flush()
        try:
            self.originals.upload(self.put, all_rows=True)
        except (BotoCoreError, ClientError, OSError) as error:
            log.warning("originals not written", extra={"fields": {"why": str(error)}})
        received = counts.originals + counts.originals_too_large + counts.originals_left_out
        waiting = min(self.originals.waiting, counts.originals)
        hop = {"received": received, "rejected": counts.originals_too_large, "ignored": left_out, "spooled": waiting}
        return {"originals": {**hop, "delivered": received - counts.originals_too_large - left_out - waiting}}

    def _account(self, complete: bool) -> None:
        """The gap's new row when all of it was read, the counts in any case."""
        if complete and not self.part and (by := self.past.recovered_by):
            gap = Gap(since=self.span.since, until=self.span.until, reason="backfill", recovered_by=by)
            self.ledgers.note_gaps(self.past.network, [gap])
        counts = self.counts
        source = {"received": counts.read, "delivered": counts.events, "rejected": counts.rejected}
        sink = {"received": counts.lines, "delivered": self.delivered, "rejected": 0, "ignored": 0}
        self.ledgers.note_hops({"source": {**source, "ignored": counts.ignored}, "sink": sink, **self._originals_hop()})
        self.ledgers.flush()
        try:
            self.ledgers.upload(self.put)
        except (BotoCoreError, ClientError) as error:
            if complete:
                raise LedgersAway(f"what was read is delivered, but the ledgers cannot say so yet: {error}") from error
            log.warning("ledgers not written", extra={"fields": {"why": str(error)}})  # what ended it is told instead
