"""Recent search: the posts of a span of the last seven days, page by page, within the rate limit and the budget.

Recent search understands other operators than the stream's rules, so the query is always given, never made from them.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from postrank.posts import x_v2
from postrank.posts.times import to_text
from postrank.sources import Batch
from postrank.sources.background import aside
from postrank.sources.backoff import Limit, pause
from postrank.sources.gathering import Gathering
from postrank.sources.spend import Spend
from postrank.sources.x.api import Api

SETTLING = timedelta(seconds=10)  # a search may end no nearer to now (X API, "GET /2/tweets/search/recent")
_PAGE, _LEAST_PAGE = 100, 10


@dataclass(slots=True, kw_only=True)
class RecentSearch:
    """Searches with one query."""

    api: Api
    query: str
    spend: Spend
    limit: Limit = field(default_factory=lambda: Limit(450, 900.0))

    def read(self, since: datetime, until: datetime, stopped: threading.Event) -> Iterator[Batch]:
        """Batches without cursors, newest posts first. Raises XRefused, XUnavailable, BudgetSpent before a page."""
        token: str | None = None
        while not stopped.is_set():
            yield from pause(self.limit.due(), stopped, heard=True)
            self.limit.note()
            page = yield from aside(lambda token=token: self._page(since, until, token), stopped, heard=True)  # type: ignore[misc]
            if page is None:
                return
            yield self._batch(page)
            token = (page.get("meta") or {}).get("next_token")
            if not token:
                return

    def _page(self, since: datetime, until: datetime, token: str | None) -> dict[str, Any]:
        """One page; what it cost is noted before anyone sees it."""
        if over := self.spend.spent(_LEAST_PAGE):
            raise over
        size = min(_PAGE, self.spend.room())
        page = self.api.search(
            self.query, limit=size, start_time=to_text(since), end_time=to_text(until), next_token=token
        )
        self.spend.note(len(page.get("data") or ()))
        return page

    @staticmethod
    def _batch(page: dict[str, Any]) -> Batch:
        gathered = Gathering(where="x:recent-search")
        for outcome in x_v2.parse({**page, "data": page.get("data") or []}):
            gathered.add(outcome, b"")
        return gathered.take(None)
