"""One instance's stream: connected, watched, and every gap paged from the timeline while it is read on."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from postrank.documents import Document
from postrank.posts import Malformed, Post
from postrank.posts.times import parse_rfc3339, to_text
from postrank.sources import Batch, Gap
from postrank.sources.mastodon.api import Api, Unavailable, before, first_of, order
from postrank.sources.mastodon.events import Events, LineTooLong, outcome
from postrank.sources.mastodon.timeline import Timeline, observe
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, pause
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import Recovery
from postrank.sources.net.receiving import Lost, Refused, Stream

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Instance:
    """Reads one instance. `newest` is the highest status id seen, `at` when the instance was last heard."""

    api: Api
    stall_seconds: float
    stopped: threading.Event
    newest: str | None = None
    at: datetime | None = None
    reconnects: int = 0
    connected: bool = False
    lost: Backoff = field(default_factory=lambda: Backoff(first=0.5, longest=60.0))
    troubled: Backoff = field(default_factory=lambda: Backoff(first=5.0, longest=320.0))
    timeline: Timeline
    recovery: Recovery = field(init=False)
    streaming_url: str = field(init=False)  # of the newest connection; the instance's own before there is one
    _why: str = "the streamer was not running"

    def __post_init__(self) -> None:
        self.recovery = Recovery(self.timeline)
        self.streaming_url = self.api.url

    def read(self) -> Iterator[Batch]:
        """Batches without cursors, for ever. Raises MastodonRefused."""
        while not self.stopped.is_set():
            try:
                stream = yield from aside(self.open, self.stopped)
                if stream is not None:
                    yield from self._follow(stream)
            except Lost as lost:
                yield from self._after(str(lost), self.lost.failed())
            except Unavailable as error:
                yield from self._after(str(error), max(self.troubled.failed(), error.wait))

    def position(self) -> Document | None:
        """What the cursor keeps of this instance."""
        if self.at is None:
            return None
        return {"id": self.newest, "at": to_text(self.at), "gaps": self.recovery.to_cursor()}

    def resume(self, position: Document | None) -> None:
        """Go on from what a cursor kept."""
        if position:
            self.newest, self.at = position["id"], parse_rfc3339(position["at"], "at")
            self.recovery.resume(position.get("gaps", ()))

    def open(self) -> Stream:
        """Raises Lost, MastodonRefused, Unavailable, Unusable."""
        self.streaming_url = self.api.stream_url()
        try:
            return Stream(self.streaming_url, self.api.headers, silence=self.stall_seconds)
        except Refused as refused:
            raise self.api.refused("the stream", refused.status, refused.headers) from None

    def _after(self, why: str, seconds: float) -> Iterator[Batch]:
        log.warning("mastodon lost", extra={"fields": {"host": self.api.host, "why": why}})
        self._why = why
        self.reconnects += 1
        yield from pause(seconds, self.stopped)

    def _follow(self, stream: Stream) -> Iterator[Batch]:
        """One connection: what it brings, and the gap before it."""
        events = Events()
        timeline = self.timeline
        gathered = Gathering(where=f"mastodon:{self.api.host}", observes=timeline.observes, keeps=timeline.keeps)
        self.connected = True
        try:
            gap = self._gap()
            yield Batch(cursor=None, gaps=[gap] if gap else [])
            while not self.stopped.is_set():
                data = stream.take(self.recovery.pace())
                yield self._batch(events, data, gathered)
                if (page := self.recovery.work()) is not None:
                    for event in page.events:
                        if isinstance(event, Post):
                            self._saw(event.post_id)
                    yield page
        except LineTooLong as endless:
            gathered.add(Malformed(str(endless)), endless.start)
            yield gathered.take(None)
            raise Lost(str(endless)) from endless
        finally:
            self.connected = False
            stream.close()

    def _batch(self, events: Events, data: bytes, gathered: Gathering) -> Batch:
        if data:
            self.at = datetime.now(UTC)
            self.lost.reset()
            self.troubled.reset()
        for name, body in events.feed(data):
            outcome_ = outcome(name, body, self.api.host, gathered.repairs)
            gathered.add(outcome_, body)
            if isinstance(outcome_, Post):
                self._saw(outcome_.post_id)
                if gathered.observes:
                    observe(orjson.loads(body), self.api.host, gathered)
        return gathered.take(None, heard=bool(data))

    def _gap(self) -> Gap | None:
        """The time since the instance was last heard, also handed to the recovery. Deletes of it cannot be had."""
        now = datetime.now(UTC)
        if self.at is None:
            self.at = now
            return None
        gap = Gap(since=min(self.at, now), until=now, reason=f"{self.api.host}: {self._why}")
        self.at = now  # the cursor says so with the batch that tells of the gap
        self.recovery.enqueue(gap, before(self.newest or first_of(gap.since)))
        return gap

    def _saw(self, status_id: str) -> None:
        if self.newest is None or order(status_id) > order(self.newest):
            self.newest = status_id
