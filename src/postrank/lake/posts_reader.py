"""Posts out of the lake, day by day, as they are after the newest ranking: one row each, deleted ones absent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from postrank.aws.athena import Athena
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.ranking.sql_literals import text, timestamp

TEXTS = (
    "network post_id author_id author_handle author_name posted_at text lang reply_to repost_of quote_of received_at "
    "collector conversation_id reply_to_author repost_of_author quote_of_author place source_app uri visibility"
).split()
LISTS = ("hashtags", "mentions", "urls", "media_kinds", "media_urls", "tags")
TIMES = ("posted_at", "received_at")
COLUMNS = (*TEXTS, *LISTS, "sensitive")
MOST_DAYS = 3660


class WrongSpan(Fatal):
    """A span that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsRequest:
    """Which posts to read: those posted in `[since, until)`, aware UTC."""

    since: datetime
    until: datetime
    author: str | None = None  # an id, or a handle with or without "@"
    network: str | None = None  # "mastodon" means every instance

    def __post_init__(self) -> None:
        """Raises WrongSpan."""
        if not self.since < self.until:
            raise WrongSpan("the end of the span must be later than its start")
        if self.until - self.since > timedelta(days=MOST_DAYS):
            raise WrongSpan(f"the span is longer than {MOST_DAYS} days: read it in parts")

    def days(self) -> Iterator[str]:
        """The posted days of the span, the first one first."""
        day = self.since.date()
        while datetime(day.year, day.month, day.day, tzinfo=UTC) < self.until:
            yield day.isoformat()
            day += timedelta(days=1)

    def statement(self, day: str) -> str:
        """The query for one posted day: Athena sorts no more than that at a time."""
        lists = [f"json_format(cast({name} as json)) as {name}" for name in LISTS]
        conditions = [
            f"posted_date = {text(day)}",
            f"posted_at >= {timestamp(self.since.isoformat())}",
            f"posted_at < {timestamp(self.until.isoformat())}",
        ]
        if self.network is not None:
            family = f"{self.network}:"
            conditions.append(f"(network = {text(self.network)} or substr(network, 1, {len(family)}) = {text(family)})")
        if self.author is not None:
            handle = self.author.removeprefix("@").lower()
            conditions.append(f"(author_id = {text(self.author)} or lower(author_handle) = {text(handle)})")
        return (
            f"select {', '.join((*TEXTS, *lists, 'sensitive'))}\nfrom posts\nwhere {' and '.join(conditions)}\n"
            "order by posted_at asc, network asc, post_id asc"
        )


def read_posts(athena: Athena, request: PostsRequest) -> Iterator[Document]:
    """The posts of a request by the time at which they were posted, in the columns of COLUMNS; a page at a time.

    Lists are lists, `sensitive` a bool, times RFC 3339. Raises QueryFailed.
    """
    for day in request.days():
        for row in athena.stream(request.statement(day)):
            yield _typed(row)


def _typed(row: Mapping[str, str | None]) -> Document:
    typed: Document = {name: row[name] for name in COLUMNS}
    for name in LISTS:
        typed[name] = json.loads(row[name] or "null")
    for name in TIMES:
        typed[name] = _rfc3339(row[name])
    typed["sensitive"] = None if row["sensitive"] is None else row["sensitive"] == "true"
    return typed


def _rfc3339(athena_time: str | None) -> str | None:
    """`2026-11-24 05:00:00.000` of Athena as an instant."""
    if athena_time is None:
        return None
    moment = datetime.fromisoformat(athena_time).replace(tzinfo=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
