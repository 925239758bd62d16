"""The places where a past span can still be had, each as batches of the posts of that span."""

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import orjson

from postrank.errors import Fatal, Retryable
from postrank.options import WrongSettings
from postrank.posts import Event, Post
from postrank.posts.times import moment
from postrank.sources import Batch, Cursor, Source
from postrank.sources.files.replay import Replay


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
    is_paid: bool  # whether reading the same again costs money or calls

    @property
    def recovered_by(self) -> str | None:
        """None: it closes no gap, since it holds only some of the posts."""
        ...

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        """Batches that hold every post of the span that can be had, or the rest of it behind a cursor.

        Raises when the span cannot be had to its end.
        """
        ...


class SpanNotReached(Retryable):
    """A timeline ended, or could not be read, before the end of the span."""


@dataclass(slots=True)
class SearchPast:
    """X's recent search, under the streamer's budgets: with its `gap_query`, or for what else one wants to know."""

    source: Source
    budget: float | None = None  # US dollars, beside the streamer's own
    query: str | None = None  # None: the streamer's
    network: str = "x"
    is_paid: bool = True

    @property
    def recovered_by(self) -> str | None:
        """Another query finds other posts than those that were missed."""
        return "recent-search" if self.query is None else None

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        from postrank.sources.x import XStream  # tweepy is slow to import
        from postrank.sources.x.search import RecentSearch

        if not isinstance(self.source, XStream):
            raise Fatal("the source is not X")
        source, search = self.source, self.source.recovery.pager
        if self.query is not None:
            search = RecentSearch(api=source.api, query=self.query, spend=source.spend, limit=source.searches)
        if not isinstance(search, RecentSearch):
            raise WrongSettings(["source.gap_query is missing: recent search needs a query (or give it one: --query)"])
        if self.budget is not None:
            source.spend.allowance = self.budget
        yield from search.read(span.since, span.until, stopped, after)


@dataclass(slots=True)
class TimelinePast:
    """The timelines of the configured Mastodon instances, from the first id that the span can have."""

    source: Source
    network: str = "mastodon"
    recovered_by: str | None = "timeline"
    is_paid: bool = True

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        from postrank.sources.mastodon import Mastodon
        from postrank.sources.mastodon.api import first_of

        if not isinstance(self.source, Mastodon):
            raise Fatal("the source is not Mastodon")
        first, place = orjson.loads(after) if after else (0, first_of(span.since))
        for number, instance in enumerate(self.source.instances[first:], start=first):
            start = place if number == first else first_of(span.since)
            reached = yield from _numbered(number, instance.timeline.pages(start, span.until, stopped))
            if not reached and not stopped.is_set():
                raise SpanNotReached(f"{instance.api.host}: the timeline could not be read to the end of the span")


@dataclass(slots=True)
class BlueskyPast:
    """What the source's `gap_source` holds: the archive of the network, or the repositories that are followed."""

    source: Source
    network: str = "bluesky"
    is_paid: bool = True
    selects: bool = True  # by when the network saw a post, which may be long after its own date

    @property
    def recovered_by(self) -> str | None:
        from postrank.sources.bluesky import Jetstream

        past = self.source.past if isinstance(self.source, Jetstream) else None
        return past.recovered_by if past else None

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:
        from postrank.sources.bluesky import Jetstream
        from postrank.sources.bluesky.archive.requests import read

        if not isinstance(self.source, Jetstream):
            raise Fatal("the source is not Bluesky")
        if self.source.past is None:
            raise WrongSettings(['source.gap_source is missing: "replay", or "repositories" for the accounts in dids'])
        yield from read(self.source.past, span.since, span.until, stopped, after)


@dataclass(slots=True)
class ArchivePast:
    """Files, in any form that a replay reads."""

    files: list[Path]
    network: str
    recovered_by: str | None = "archive"
    is_paid: bool = False
    keeps: bool = False  # whether the lines of posts are wanted as they are

    def read(self, span: Span, stopped: threading.Event, after: Cursor | None) -> Iterator[Batch]:  # noqa: ARG002 all is read, then chosen
        for batch in Replay(self.files, keeps=self.keeps).read(after=after):
            if stopped.is_set():
                return
            yield batch


def _numbered(number: int, pages: Generator[Batch, None, bool]) -> Generator[Batch, None, bool]:
    """The pages of one instance, whose places say of which."""
    while True:
        try:
            batch = next(pages)
        except StopIteration as end:
            return bool(end.value)
        if batch.cursor is not None:
            batch.cursor = orjson.dumps([number, batch.cursor]).decode()
        yield batch
