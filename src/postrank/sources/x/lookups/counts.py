"""How many posts match a query, by day, without reading them: what reading them would cost.

Recent counts reach seven days back, understand the operators of recent search, and are answered 300 times in a quarter
of an hour (X API, "Post counts").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from postrank.documents import JsonObject
from postrank.sources.x.api import Api, whole_seconds
from postrank.sources.x.budget import Spend

PAGE = 100  # posts in a page of recent search
CALLS = 300  # in a quarter of an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a query's posts would cost, and what the budgets leave. Amounts in US dollars."""

    posts: int
    days: dict[str, int]  # posts by the day's beginning, RFC 3339
    price: float  # of a post
    affordable: int  # posts that budgets and cap leave, less the margin
    left_today: float
    left_this_month: float

    @property
    def cost(self) -> float:
        return self.posts * self.price

    @property
    def calls(self) -> int:
        """Pages of recent search."""
        return -(-self.posts // PAGE)

    @property
    def fits(self) -> bool:
        return self.posts <= self.affordable


def price(api: Api, spend: Spend, query: str, since: datetime | None, until: datetime | None) -> Price:
    """Ask X how many posts match; no post is read. Raises XRefused, XUnavailable."""
    days: dict[str, int] = {}
    for page in _pages(api, query, _span(since, until)):
        for row in page.get("data") or ():
            days[str(row["start"])] = days.get(str(row["start"]), 0) + int(row["tweet_count"])
    left = spend.left()
    return Price(
        posts=sum(days.values()),
        days=days,
        price=spend.price,
        affordable=spend.room(),
        left_today=left.day,
        left_this_month=left.month,
    )


def _pages(api: Api, query: str, span: dict[str, str | None]) -> Iterator[JsonObject]:
    while True:
        page = api.counts(query, span)
        yield page
        span["next_token"] = (page.get("meta") or {}).get("next_token")
        if not span["next_token"]:
            return


def _span(since: datetime | None, until: datetime | None) -> dict[str, str | None]:
    """The parameters of a span; without one X counts its last seven days."""
    if since is None or until is None:
        return {}
    return {**whole_seconds(since, until)}
