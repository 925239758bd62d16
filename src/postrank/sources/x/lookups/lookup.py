"""Posts by their ids, and the timelines of users: asked for again within the limits and the budget."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import orjson

from postrank.documents import Document, JsonObject
from postrank.posts import Ignored, Tombstone
from postrank.sources import Batch, Cursor
from postrank.sources.net.backoff import Limit
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.x.api import Api, XRefused, XUnavailable, whole_seconds
from postrank.sources.x.budget import Spend
from postrank.sources.x.lookups.hydration import Hydration
from postrank.sources.x.messages import add_page, observe
from postrank.sources.x.reconnecting import QUARTER
from postrank.sources.x.retried_reads import patiently

log = logging.getLogger(__name__)
_AT_ONCE = 100  # ids or handles in a call, and posts in a page of a timeline
_LEAST_PAGE = 5
# What the problem's type ends with when a post is not, or no longer, there for the public (X API, "Response codes").
_GONE = ("resource-not-found", "not-authorized-for-resource")


@dataclass(slots=True, kw_only=True)
class Lookup:
    """Asks for posts again. All raise XRefused, XUnavailable, BudgetSpent."""

    api: Api
    spend: Spend
    limit: Limit = field(default_factory=lambda: Limit(300, QUARTER))

    def posts(self, ids: Sequence[str], stopped: threading.Event, hydration: Hydration) -> Iterator[Batch]:
        """The posts with these ids that were not asked for yet, behind those whose answers were not delivered.

        One that is gone, or not for the public any more, is a tombstone. A cursor is the page that the ledger may
        forget once its batch is delivered.
        """
        for number, page in hydration.answered():
            yield self._batch(page, "x:posts", str(number))
        for number, part in hydration.unanswered():
            self.spend.note(len(part))  # perhaps: nobody knows whether X answered
            yield from self._page(number, part, stopped, hydration)
        left = hydration.unasked(ids)
        if before := len(ids) - len(left):
            log.info("ids asked for before", extra={"fields": {"ids": before}})
            yield Batch(cursor=None, read=before, ignored={"asked_before": before})
        for start in range(0, len(left), _AT_ONCE):
            part = left[start : start + _AT_ONCE]
            if stopped.is_set():
                return
            self._afford(len(part))
            yield from self._page(hydration.ask(part), part, stopped, hydration)

    def _page(self, number: int, ids: Sequence[str], stopped: threading.Event, hydration: Hydration) -> Iterator[Batch]:
        """The posts of a page that the ledger knows of: its answer is on disk before anyone sees it."""

        def keep() -> Document:
            page = self.api.posts(ids)
            self.spend.note(len(page.get("data") or ()))
            hydration.answer(number, page)
            return page

        try:
            page = yield from patiently(keep, self.limit, stopped)
        except (XRefused, XUnavailable):
            hydration.withdraw(number)
            raise
        if page is not None:
            yield self._batch(page, "x:posts", str(number))

    def timelines(
        self,
        handles: Sequence[str],
        since: datetime,
        until: datetime,
        stopped: threading.Event,
        after: Cursor | None = None,
    ) -> Iterator[Batch]:
        """What users with these handles posted in a span; a handle that nobody has is counted as ignored.

        A cursor is `[<first handle of the call>, <user>, <token of the user's next page>]`.
        """
        first, resumed, token = orjson.loads(after) if after else (0, None, None)
        for start in range(first, len(handles), _AT_ONCE):
            part = handles[start : start + _AT_ONCE]
            page = yield from patiently(partial(self.api.users, part), self.limit, stopped)
            if page is None:
                return
            users = [str(account["id"]) for account in page.get("data") or ()]
            missing = len(part) - len(users)
            yield Batch(cursor=None, read=missing, ignored={"unknown_user": missing} if missing else {})
            waiting = users[users.index(resumed) :] if start == first and resumed in users else users
            for user in waiting:
                span: dict[str, str | None] = {**whole_seconds(since, until)}
                if user == resumed:
                    span["pagination_token"] = token
                yield from self._timeline(user, span, stopped, start)

    def _timeline(
        self, user: str, span: dict[str, str | None], stopped: threading.Event, start: int
    ) -> Iterator[Batch]:
        while not stopped.is_set():
            size = max(min(_AT_ONCE, self.spend.room()), _LEAST_PAGE)
            page = yield from self._paid(partial(self.api.timeline, user, size, dict(span)), size, stopped)
            if page is None:
                return
            token = (page.get("meta") or {}).get("next_token")
            place = orjson.dumps([start, user, token]).decode() if token else None
            yield self._batch(page, "x:timeline", place)
            if not token:
                return
            span["pagination_token"] = token

    def _paid(
        self, ask: Callable[[], Document], most: int, stopped: threading.Event
    ) -> Generator[Batch, None, Document | None]:
        """Ask for at most so many posts; what they cost is noted before anyone sees them."""
        self._afford(most)

        def paid() -> Document:
            page = ask()
            self.spend.note(len(page.get("data") or ()))
            return page

        return (yield from patiently(paid, self.limit, stopped))

    def _afford(self, posts: int) -> None:
        """Raises BudgetSpent unless so many posts may be read."""
        if over := self.spend.spent(posts):
            raise over

    def _batch(self, page: JsonObject, where: str, cursor: Cursor | None = None) -> Batch:
        gathered = Gathering(where=where, observes=self.api.metrics, keeps=self.api.keeps_originals)
        for error in page.get("errors") or ():
            gone = str(error.get("type")).endswith(_GONE) and error.get("resource_type") in ("tweet", "post")
            post_id = error.get("resource_id") or error.get("value")
            gathered.add(Tombstone(network="x", post_id=str(post_id)) if gone and post_id else Ignored("errors"), b"")
        if page.get("data"):
            add_page(page, gathered)
            observe(page, gathered)
        return gathered.take(cursor)
