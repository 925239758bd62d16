"""The pump: batches in, shipments out, the checkpoint moved when they are durable."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import orjson

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.posts import Event, Post
from postrank.posts.encoding import LineEncoder
from postrank.posts.times import to_text
from postrank.sinks.packing import RECORD_LIMIT, LinePacker, Packer, too_large
from postrank.sources import Batch
from postrank.streamer.engine.checkpoint import Checkpoint, JournalFull
from postrank.streamer.engine.counts import Counts
from postrank.streamer.engine.filters import Filters
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.engine.originals import Originals
from postrank.streamer.engine.reader import Reader
from postrank.streamer.engine.shipper import Shipment, Shipper
from postrank.streamer.host import freed_memory
from postrank.streamer.host.systemd import Notifier
from postrank.windows.author_numbers import Author
from postrank.windows.author_windows import AuthorWindows
from postrank.windows.encoding import encode as encode_windows
from postrank.windows.keyed_windows import KeyedWindows

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """What others (heartbeat, metrics, status page) may read at any time."""

    counts: Counts = field(default_factory=Counts)  # of everything read
    durable: Counts = field(default_factory=Counts)  # of everything before `cursor`
    cursor: str | None = None
    last_source_contact: str | None = None
    last_ack: str | None = None
    top: list[tuple[Author, int]] = field(default_factory=list)  # who wrote most in the newest 60 s
    contact: float = field(default_factory=time.monotonic)  # the same two, for ages
    ack: float = field(default_factory=time.monotonic)


@dataclass(slots=True, kw_only=True)
class Pump:
    """Moves batches from the reader to the shipper until the reader ends or `stopping` is set."""

    shipper: Shipper
    checkpoint: Checkpoint
    posts: Packer | LinePacker
    windows_packer: Packer | LinePacker
    windows: AuthorWindows
    filters: Filters
    ledgers: Ledgers
    progress: Progress
    collector: str
    source: str
    flush_seconds: float
    flush_bytes: int
    keyed: KeyedWindows = field(default_factory=KeyedWindows)
    originals: Originals | None = None  # where the networks' JSON is to be kept
    top_rows: int = 0  # authors in `progress.top`, renewed every second
    journal_bytes: int = 64 << 20  # a longer journal is written again from the windows' state
    stopping: threading.Event = field(default_factory=threading.Event)
    notifier: Notifier = field(default_factory=Notifier)
    _cursor: str | None = None
    _unsent: bool = False  # something was read since the last shipment
    _top_due: float = 0.0
    _rewrite_at: int = 0  # bytes of the journal before which there is no use in trying again
    _memory_due: float = field(default_factory=lambda: time.monotonic() + freed_memory.SECONDS)

    def run(self, reader: Reader) -> None:
        """Returns when everything read is submitted. Raises what ended the reader or the shipper."""
        due = time.monotonic() + self.flush_seconds
        while not reader.ended and not self.stopping.is_set():
            self.notifier.alive()
            batch = reader.get(max(0.0, min(due - time.monotonic(), 0.5)))
            if batch is not None:
                self._absorb(batch)
            if self.posts.size >= self.flush_bytes or time.monotonic() >= due:
                self._ship()
                due = time.monotonic() + self.flush_seconds
            self._raise_failure()
        while (batch := reader.get(0.0)) is not None and self.stopping.is_set():
            self._absorb(batch)
        self._ship(ended=reader.finished)
        while self.windows.pending:
            self._ship(ended=reader.finished)
        if reader.failure is not None:
            raise reader.failure

    def _absorb(self, batch: Batch) -> None:
        now = datetime.now(UTC)
        received_at = to_text(now)
        counts = self.progress.counts.copy()  # others read it meanwhile: it is replaced as a whole
        selected = self._select(batch.events, counts)
        lines = LineEncoder(received_at=received_at, collector=self.collector).encode(selected)
        if max(map(len, lines), default=0) > RECORD_LIMIT:
            selected, lines = self._reject_large(batch, selected, lines)
        self.posts.add([event.author_id or event.post_id for event in selected], lines)
        posts = [event for event in selected if type(event) is Post]
        counts.future_posts += self.windows.add(posts, round(now.timestamp() * 1000))
        self.keyed.add(selected, round(now.timestamp() * 1000))
        counts.take(batch)
        self._keep_originals(batch, selected, received_at, counts)
        self.progress.counts = counts
        self.ledgers.note_rejects(batch.rejects)
        self.ledgers.note_notices(self.source, batch.notices)
        self.ledgers.note_gaps(self.source, batch.gaps)
        self._cursor = batch.cursor or self._cursor
        self._unsent = self._unsent or bool(batch.read or batch.gaps or batch.cursor)
        if batch.heard:
            self.progress.last_source_contact, self.progress.contact = received_at, time.monotonic()

    def _keep_originals(self, batch: Batch, selected: list[Event], seen_at: str, counts: Counts) -> None:
        """Keep the JSON of the posts that are sent on, and no other."""
        if self.originals is None or not batch.originals:
            return
        sent = {id(event) for event in selected}
        tally = self.originals.add((each for each in batch.originals if id(each.post) in sent), seen_at)
        counts.originals += tally.rows
        counts.originals_too_large += tally.too_large
        counts.originals_left_out += tally.left_out

    def _select(self, events: list[Event], counts: Counts) -> list[Event]:
        """The events that the filters let pass; counts the others."""
        if self.filters.open:
            return events
        selected = [event for event in events if self.filters.wants(event)]
        counts.filtered += len(events) - len(selected)
        return selected

    def _reject_large(self, batch: Batch, events: list[Event], lines: list[bytes]) -> tuple[list[Event], list[bytes]]:
        """The events and lines without posts that no record can hold: those become rejects."""
        fitting: list[tuple[Event, bytes]] = []
        for event, line in zip(events, lines, strict=True):
            if (reject := too_large(line, event.source_cursor or self.source)) is None:
                fitting.append((event, line))
                continue
            batch.rejects.append(reject)
            batch.events = [other for other in batch.events if other is not event]
        return [event for event, _ in fitting], [line for _, line in fitting]

    def _ship(self, *, ended: bool = False) -> None:
        if not self._unsent and not ended:
            return
        emitted, changes = self.windows.take(ended=ended)
        keyed, keyed_changes = self.keyed.take(ended=ended)
        at = to_text(datetime.now(UTC))
        lines = encode_windows([*emitted, *keyed], emitted_at=at, collector=self.collector)
        keys = [*(window.author_id for window in emitted), *(window.value for window in keyed)]
        self.windows_packer.add(keys, lines)
        self._renew_top()
        counts = self.progress.counts.copy()
        if self.originals is not None:  # before the checkpoint passes them
            left_out = self.originals.flush()
            counts.originals -= left_out
            counts.originals_left_out += left_out
        counts.window_lines += len(emitted) + len(keyed)
        self.progress.counts = counts
        frame = self._frame(counts, changes, keyed_changes)
        records = [*self.posts.take(), *self.windows_packer.take()]
        shipment = Shipment(records=records, frame=frame, counts=counts, cursor=self._cursor)
        self.ledgers.flush()
        while not self.shipper.submit(shipment, wait=0.5):
            self.notifier.alive()
            self._raise_failure()
        self._unsent = self.windows.pending
        if time.monotonic() >= self._memory_due:
            freed_memory.give_back()
            self._memory_due = time.monotonic() + freed_memory.SECONDS
        if self.checkpoint.size > max(self.journal_bytes, self._rewrite_at) and self.shipper.wait_idle(60.0):
            self._rewrite(counts)

    def _rewrite(self, counts: Counts) -> None:
        """Replace the journal by one frame; a disk without room for both leaves it as it is until it has grown more."""
        try:
            self.checkpoint.rewrite(self._frame(counts, self.windows.snapshot(), self.keyed.snapshot()))
            self._rewrite_at = 0
        except JournalFull as full:
            self._rewrite_at = self.checkpoint.size + self.journal_bytes // 4
            log.warning("journal not shortened", extra={"fields": {"why": str(full)}})

    def commit(self, shipments: Sequence[Shipment]) -> None:
        """Note that shipments are durable. The shipper calls it, from its threads, one at a time."""
        self.checkpoint.append(shipment.frame for shipment in shipments)
        last = shipments[-1]
        self.progress.durable = last.counts
        self.progress.cursor = last.cursor
        self.progress.last_ack, self.progress.ack = to_text(datetime.now(UTC)), time.monotonic()

    def restore(self) -> str | None:
        """Take over what was durable before a restart; returns the cursor to read from."""
        last: Document = {}
        for frame in self.checkpoint.frames():
            if "authors" not in frame["windows"]:
                raise Fatal(
                    "checkpoint.journal is of an earlier version: drain that version's spool, then remove the file"
                )
            self.windows.restore(frame["windows"])
            if "keyed" in frame:
                self.keyed.restore(frame["keyed"])
            last = frame
        if last:
            self._cursor = self.progress.cursor = last["cursor"]
            self.progress.counts, self.progress.durable = Counts(**last["counts"]), Counts(**last["counts"])
        return self._cursor

    def _renew_top(self) -> None:
        if self.top_rows and time.monotonic() >= self._top_due:
            self.progress.top = self.windows.top(self.top_rows)
            self._top_due = time.monotonic() + 1.0

    def _frame(self, counts: Counts, changes: Document, keyed: Document) -> bytes:
        frame = {"cursor": self._cursor, "counts": asdict(counts), "windows": changes}
        return orjson.dumps(frame | ({"keyed": keyed} if self.keyed.views else {}))

    def _raise_failure(self) -> None:
        if self.shipper.failure is not None:
            raise self.shipper.failure
