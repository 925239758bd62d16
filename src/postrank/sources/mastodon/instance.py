"""One instance's stream: connected, watched, and every gap paged from the timeline."""

import logging
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from postrank.posts import Malformed, Post
from postrank.posts.times import moment, parse_rfc3339, to_text
from postrank.sources import Batch, Gap
from postrank.sources.background import aside
from postrank.sources.backoff import TICK, Backoff, Limit, pause
from postrank.sources.gathering import Gathering
from postrank.sources.mastodon.api import Api, Unavailable, before, order
from postrank.sources.mastodon.events import Events, LineTooLong, outcome
from postrank.sources.mastodon.statuses import status
from postrank.sources.receiving import Lost, Refused, Stream

log = logging.getLogger(__name__)
_MOST_PAGES = 1000  # of one gap


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
    calls: Limit = field(default_factory=lambda: Limit(290, 300.0))  # the instance allows 300 in five minutes
    _why: str = "the streamer was not running"

    def read(self) -> Iterator[Batch]:
        """Batches without cursors, for ever. Raises MastodonRefused."""
        while not self.stopped.is_set():
            try:
                stream = yield from aside(self._open, self.stopped)
                if stream is not None:
                    yield from self._follow(stream)
            except Lost as lost:
                yield from self._after(str(lost), self.lost.failed())
            except Unavailable as error:
                yield from self._after(str(error), max(self.troubled.failed(), error.wait))

    def position(self) -> dict[str, str | None] | None:
        """What the cursor keeps of this instance."""
        return {"id": self.newest, "at": to_text(self.at)} if self.at else None

    def resume(self, position: dict[str, str | None] | None) -> None:
        """Go on from what a cursor kept."""
        if position:
            self.newest, self.at = position["id"], parse_rfc3339(position["at"], "at")

    def _open(self) -> Stream:
        url = self.api.stream_url()
        try:
            return Stream(url, self.api.headers, silence=self.stall_seconds)
        except Refused as refused:
            raise self.api.refused("the stream", refused.status, refused.headers) from None

    def _after(self, why: str, seconds: float) -> Iterator[Batch]:
        log.warning("mastodon lost", extra={"fields": {"host": self.api.host, "why": why}})
        self._why = why
        self.reconnects += 1
        yield from pause(seconds, self.stopped)

    def _follow(self, stream: Stream) -> Iterator[Batch]:
        """One connection: first the gap before it, then what it brings."""
        events, gathered = Events(), Gathering(where=f"mastodon:{self.api.host}")
        self.connected = True
        try:
            yield from self._fill_gap()
            while not self.stopped.is_set():
                data = stream.take(TICK)
                yield self._batch(events, data, gathered)
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
            found = outcome(name, body, self.api.host)
            gathered.add(found, body)
            if isinstance(found, Post):
                self._saw(found.post_id)
        return gathered.take(None, heard=bool(data))

    def _fill_gap(self) -> Iterator[Batch]:
        """The statuses between the last one seen and this connection. Deletes of that time cannot be had."""
        if self.at is None:
            return
        gap = Gap(since=self.at, until=max(datetime.now(UTC), self.at), reason=f"{self.api.host}: {self._why}")
        if self.newest is None:
            yield Batch(cursor=None, gaps=[gap])
            return
        filled = yield from self.pages(before(self.newest), gap)
        yield Batch(cursor=None, gaps=[replace(gap, recovered_by="timeline" if filled else None)])

    def pages(self, min_id: str, gap: Gap) -> Generator[Batch, None, bool]:
        """Batches of the timeline's pages up to the end of the gap; returns whether that was reached."""
        for _ in range(_MOST_PAGES):
            yield from pause(self.calls.due(), self.stopped, heard=True)
            self.calls.note()
            try:
                page = yield from aside(lambda min_id=min_id: self.api.page(min_id=min_id), self.stopped, heard=True)  # type: ignore[misc]
            except Unavailable as error:
                if not error.wait:
                    log.warning("gap not filled", extra={"fields": {"host": self.api.host, "why": str(error)}})
                    return False
                yield from pause(error.wait, self.stopped, heard=True)
                continue
            if page is None:
                return False
            batch, last = self._statuses(page)
            yield batch
            if not page or last is None or moment(last.posted_at) >= gap.until or last.post_id == min_id:
                return True
            min_id = last.post_id
        return False

    def _statuses(self, page: list[dict[str, Any]]) -> tuple[Batch, Post | None]:
        """A page of a timeline as a batch, and its newest status."""
        gathered, last = Gathering(where=f"mastodon:{self.api.host}:timeline"), None
        for body in page:
            try:
                last = status(body, self.api.host)
                gathered.add(last, b"")
                self._saw(last.post_id)
            except Malformed as malformed:
                gathered.add(malformed, repr(body).encode())
        return gathered.take(None), last

    def _saw(self, status_id: str) -> None:
        if self.newest is None or order(status_id) > order(self.newest):
            self.newest = status_id
