"""Timelines, page by page from an id on: what was posted while no stream was open, and spans that are past."""

import logging
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from postrank.documents import JsonObject
from postrank.posts import Malformed, Post
from postrank.posts.formats import observations
from postrank.posts.formats.networks.mastodon_statuses import status
from postrank.posts.times import moment, to_text
from postrank.sources import Batch
from postrank.sources.mastodon.api import REWIND, Api, Unavailable, written
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, Limit, pause
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import NotNow, Waiting

log = logging.getLogger(__name__)
CALLS = 290
CALLS_SECONDS = 300.0  # an instance allows 300 in five minutes (docs.joinmastodon.org, "Rate limits")


@dataclass(slots=True, kw_only=True)
class Timeline:
    """The timeline of one instance; a pager of gaps, whose places are ids."""

    api: Api
    calls: Limit = field(default_factory=lambda: Limit(CALLS, CALLS_SECONDS))
    troubled: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=320.0))
    observes: bool = False  # whether the counts of statuses and accounts are wanted
    keeps: bool = False  # whether the JSON of statuses is wanted
    recovered_by: str = "timeline"

    def due(self) -> float:
        return self.calls.due()

    def ask(self, waiting: Waiting) -> tuple[Batch, str | None]:
        """Raises MastodonRefused, too."""
        try:
            batch, last = self._page(waiting.place or "0", waiting.until)
        except Unavailable as error:
            wait = max(error.wait, self.troubled.failed())
            raise NotNow(f"{self.api.host}: {error}", wait) from None
        self.troubled.reset()
        return batch, last

    def pages(self, min_id: str, until: datetime, stopped: threading.Event) -> Generator[Batch, None, bool]:
        """Batches of the pages up to a moment; returns whether that was reached. Raises MastodonRefused.

        Their cursors are the ids after which the next page begins.
        """
        place: str | None = min_id
        while place is not None:
            yield from pause(self.calls.due(), stopped, heard=True)
            try:
                page = yield from aside(partial(self._page, place, until), stopped, heard=True)
            except Unavailable as error:
                if not error.wait:
                    log.warning("span not read", extra={"fields": {"host": self.api.host, "why": str(error)}})
                    return False
                yield from pause(error.wait, stopped, heard=True)
                continue
            if page is None:
                return False
            batch, place = page
            batch.cursor = place
            yield batch
        return True

    def _page(self, min_id: str, until: datetime) -> tuple[Batch, str | None]:
        """The statuses just after an id, and the id after which the next page begins; None behind the last one."""
        self.calls.note()
        gathered = Gathering(where=f"mastodon:{self.api.host}:timeline", observes=self.observes, keeps=self.keeps)
        last = None
        for body in self.api.page(min_id=min_id):
            try:
                last = status(body, self.api.host, repairs=gathered.repairs)
                gathered.add(last, gathered.original(body))
                observe(body, self.api.host, gathered)
            except Malformed as malformed:
                gathered.add(malformed, repr(body).encode())
        ended = last is None or last.post_id == min_id or _moment(last) >= until + REWIND
        return gathered.take(None), None if last is None or ended else last.post_id


def observe(body: JsonObject, host: str, gathered: Gathering) -> None:
    """Take in the counts that an instance shows with a status at this moment, where they are wanted."""
    if gathered.observes:
        for observation in observations.of_status(body, host, to_text(datetime.now(UTC)), gathered.repairs):
            gathered.add(observation, b"")


def _moment(post: Post) -> datetime:
    """When the instance wrote a status down: its own clock, which may be some seconds off ours."""
    return written(post.post_id) or moment(post.posted_at)
