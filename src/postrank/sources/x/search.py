"""Recent search: the posts of a span of the last seven days, page by page, within the rate limit and the budget.

Recent search understands other operators than the stream's rules, so the query is always given, never made from them.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from postrank.documents import Document
from postrank.sources import Batch
from postrank.sources.net.backoff import Backoff, Limit
from postrank.sources.net.batch_builder import Gathering
from postrank.sources.net.gap_recovery import NotAtAll, NotNow, Waiting
from postrank.sources.x.api import Api, XRefused, XUnavailable, whole_seconds
from postrank.sources.x.budget import BudgetSpent, Spend
from postrank.sources.x.messages import add_page, observe
from postrank.sources.x.reconnecting import QUARTER
from postrank.sources.x.retried_reads import patiently

SEARCHES = 450  # calls in a quarter of an hour
SETTLING = timedelta(seconds=12)  # a search ends 10 s before now at the latest, by X's clock (X API, "Recent search")
OVERLAP = timedelta(seconds=10)  # a post is streamed some seconds after it was written
REACH = timedelta(days=7) - timedelta(minutes=1)
_PAGE = 100
_LEAST_PAGE = 10
_LIMITED = 60.0  # seconds after a 429, at least


@dataclass(slots=True, kw_only=True)
class RecentSearch:
    """Searches with one query; a pager of gaps, whose places are X's `next_token`s, which do not expire."""

    api: Api
    query: str
    spend: Spend
    limit: Limit = field(default_factory=lambda: Limit(SEARCHES, QUARTER))
    troubled: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=QUARTER))
    recovered_by: str = "recent-search"

    def read(
        self, since: datetime, until: datetime, stopped: threading.Event, token: str | None = None
    ) -> Iterator[Batch]:
        """Batches, newest posts first, from the page of a token on; waits while X is troubled.

        Their cursors are the tokens of the next pages. Raises XRefused, XUnavailable, BudgetSpent before a page.
        """
        while not stopped.is_set():
            page = yield from patiently(partial(self._page, since, until, token), self.limit, stopped)
            if page is None:
                return
            token = _next(page)
            batch = self._batch(page)
            batch.cursor = token
            yield batch
            if not token:
                return

    def due(self) -> float:
        return self.limit.due()

    def ask(self, waiting: Waiting) -> tuple[Batch, str | None]:
        now = datetime.now(UTC)
        if waiting.until <= now - REACH:
            raise NotAtAll("recent search does not reach so far back")
        since = max(waiting.since, now - REACH)
        if waiting.until <= since:  # it was read with another, or lies within the edges
            return Batch(cursor=None), None
        try:
            self.limit.note()
            page = self._page(since, waiting.until, waiting.place)
        except BudgetSpent as error:
            raise NotNow(str(error), (error.resumes - now).total_seconds()) from None
        except XUnavailable as error:
            wait = max(self.troubled.failed(), _LIMITED if error.status == 429 else 0.0)
            if error.reset:
                wait = max(wait, min(error.reset - time.time(), QUARTER))
            raise NotNow(str(error), wait) from None
        except XRefused as error:
            raise NotAtAll(str(error)) from None
        self.troubled.reset()
        return self._batch(page), _next(page)

    def _page(self, since: datetime, until: datetime, token: str | None) -> Document:
        """One page; what it cost is noted before anyone sees it."""
        if over := self.spend.spent(_LEAST_PAGE):
            raise over
        size = min(_PAGE, self.spend.room())
        page = self.api.search(self.query, limit=size, **whole_seconds(since, until), next_token=token)
        self.spend.note(len(page.get("data") or ()))
        return page

    def _batch(self, page: Document) -> Batch:
        gathered = Gathering(where="x:recent-search", observes=self.api.metrics, keeps=self.api.keeps_originals)
        add_page({**page, "data": page.get("data") or []}, gathered)
        observe(page, gathered)
        return gathered.take(None)


def _next(page: Document) -> str | None:
    token = (page.get("meta") or {}).get("next_token")
    return str(token) if token else None
