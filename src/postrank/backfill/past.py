"""The places where a past span can still be had, each as batches of the posts of that span."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from postrank.errors import Fatal, Retryable
from postrank.options import WrongSettings
from postrank.posts import Event, Post
from postrank.posts.times import moment
from postrank.sources import Batch, Source
from postrank.sources.replay import Replay


@dataclass(frozen=True, slots=True)
class Span:
    """`[since, until)`, aware UTC."""

    since: datetime
    until: datetime

    def holds(self, event: Event) -> bool:
        """Whether an event belongs to the span; a delete has no time of its own and always does."""
        return not isinstance(event, Post) or self.since <= moment(event.posted_at) < self.until


class Past(Protocol):
    """A place to read a span from."""

    network: str  # the source whose gap is closed
    recovered_by: str | None  # None: it closes no gap, since it holds only some of the posts

    def read(self, span: Span, stopped: threading.Event) -> Iterator[Batch]:
        """Batches that hold every post of the span that can be had. Raises when it cannot be had to its end."""
        ...


class SpanNotReached(Retryable):
    """A timeline ended, or could not be read, before the end of the span."""


@dataclass(slots=True)
class SearchPast:
    """X's recent search with the streamer's `gap_query`, under the streamer's budgets."""

    source: Source
    budget: float | None = None  # US dollars, beside the streamer's own
    network: str = "x"
    recovered_by: str | None = "recent-search"

    def read(self, span: Span, stopped: threading.Event) -> Iterator[Batch]:
        from postrank.sources.x import XStream  # tweepy is slow to import
        from postrank.sources.x.search import RecentSearch

        search = self.source.recovery.pager if isinstance(self.source, XStream) else None
        if not isinstance(self.source, XStream) or not isinstance(search, RecentSearch):
            raise WrongSettings(["source.gap_query is missing: recent search needs a query of its own"])
        if self.budget is not None:
            self.source.spend.allowance = self.budget
        yield from search.read(span.since, span.until, stopped)


@dataclass(slots=True)
class TimelinePast:
    """The timelines of the configured Mastodon instances, from the first id that the span can have."""

    source: Source
    network: str = "mastodon"
    recovered_by: str | None = "timeline"

    def read(self, span: Span, stopped: threading.Event) -> Iterator[Batch]:
        from postrank.sources.mastodon import Mastodon
        from postrank.sources.mastodon.api import first_of

        if not isinstance(self.source, Mastodon):
            raise Fatal("the source is not Mastodon")
        for instance in self.source.instances:
            reached = yield from instance.timeline.pages(first_of(span.since), span.until, stopped)
            if not reached and not stopped.is_set():
                raise SpanNotReached(f"{instance.api.host}: the timeline could not be read to the end of the span")


@dataclass(slots=True)
class ArchivePast:
    """Files, in any form that a replay reads."""

    files: list[Path]
    network: str
    recovered_by: str | None = "archive"

    def read(self, span: Span, stopped: threading.Event) -> Iterator[Batch]:  # noqa: ARG002 all is read, then chosen
        for batch in Replay(self.files).read(after=None):
            if stopped.is_set():
                return
            yield batch
