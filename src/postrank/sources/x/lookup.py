"""Posts by their ids, and the timelines of users: asked for again within the limits and the budget."""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from postrank.documents import Document, JsonObject
from postrank.posts import Ignored, Tombstone
from postrank.posts.formats import x_v2
from postrank.sources import Batch
from postrank.sources.net.backoff import Limit
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.x.api import Api, whole_seconds
from postrank.sources.x.budget import Spend
from postrank.sources.x.messages import observe
from postrank.sources.x.reconnecting import QUARTER
from postrank.sources.x.retried_reads import patiently

_AT_ONCE = 100  # ids or handles in a call, and posts in a page of a timeline
_LEAST_PAGE = 5
# What the problem's type ends with when a post is not, or no longer, there for the public (X API, "Response codes").
_GONE = ("resource-not-found", "not-authorized-for-resource")


@dataclass(slots=True, kw_only=True)
class Lookup:
    """Asks for posts again. Batches have no cursors. All raise XRefused, XUnavailable, BudgetSpent."""

    api: Api
    spend: Spend
    limit: Limit = field(default_factory=lambda: Limit(300, QUARTER))

    def posts(self, ids: Sequence[str], stopped: threading.Event) -> Iterator[Batch]:
        """The posts with these ids; one that is gone, or not for the public any more, is a tombstone."""
        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            page = yield from self._paid(partial(self.api.posts, part), len(part), stopped)
            if page is None:
                return
            yield self._batch(page, "x:posts")

    def timelines(
        self, handles: Sequence[str], since: datetime, until: datetime, stopped: threading.Event
    ) -> Iterator[Batch]:
        """What users with these handles posted in a span; a handle that nobody has is counted as ignored."""
        for start in range(0, len(handles), _AT_ONCE):
            part = handles[start : start + _AT_ONCE]
            page = yield from patiently(partial(self.api.users, part), self.limit, stopped)
            if page is None:
                return
            users = [str(account["id"]) for account in page.get("data") or ()]
            missing = len(part) - len(users)
            yield Batch(cursor=None, read=missing, ignored={"unknown_user": missing} if missing else {})
            for user in users:
                yield from self._timeline(user, since, until, stopped)

    def _timeline(self, user: str, since: datetime, until: datetime, stopped: threading.Event) -> Iterator[Batch]:
        span: dict[str, str | None] = {**whole_seconds(since, until)}
        while not stopped.is_set():
            size = max(min(_AT_ONCE, self.spend.room()), _LEAST_PAGE)
            page = yield from self._paid(partial(self.api.timeline, user, size, dict(span)), size, stopped)
            if page is None:
                return
            yield self._batch(page, "x:timeline")
            span["pagination_token"] = (page.get("meta") or {}).get("next_token")
            if not span["pagination_token"]:
                return

    def _paid(
        self, ask: Callable[[], Document], most: int, stopped: threading.Event
    ) -> Generator[Batch, None, Document | None]:
        """Ask for at most so many posts; what they cost is noted before anyone sees them."""
        if over := self.spend.spent(most):
            raise over

        def paid() -> Document:
            page = ask()
            self.spend.note(len(page.get("data") or ()))
            return page

        return (yield from patiently(paid, self.limit, stopped))

    def _batch(self, page: JsonObject, where: str) -> Batch:
        gathered = Gathering(where=where, observes=self.api.metrics)
        for error in page.get("errors") or ():
            gone = str(error.get("type")).endswith(_GONE) and error.get("resource_type") in ("tweet", "post")
            post_id = error.get("resource_id") or error.get("value")
            gathered.add(Tombstone(network="x", post_id=str(post_id)) if gone and post_id else Ignored("errors"), b"")
        if data := page.get("data"):
            for outcome in x_v2.parse({**page, "data": data}, gathered.repairs):
                gathered.add(outcome, b"")
            observe(page, gathered)
        return gathered.take(None)
