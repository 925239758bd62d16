"""What is trending at a place, as X says it at a moment: read from its answer, kept with rank and time.

X counts the posts of some trends only; a name may hold any character.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postrank.documents import Document, JsonObject
from postrank.errors import Fatal
from postrank.ranking.arrivals import HOUR
from postrank.trends.hashtags import key_of

PLACE = "place="
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class NoTrends(Fatal):
    """X's answer holds no trends of the place."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place of X's trends: its "where on earth" id, and what people call it."""

    woeid: int
    name: str

    @classmethod
    def configured(cls, names: Any) -> list["Place"]:
        """Places from a mapping of ids to names, in the order of their ids. Raises NoTrends for anything else."""
        if not isinstance(names, Mapping) or not all(str(key).isdecimal() for key in names):
            raise NoTrends(f'places must be written as {{"1": "Worldwide", "2459115": "New York"}}, not {names!r}')
        return sorted(cls(int(woeid), str(name)) for woeid, name in names.items())


def key(hour: datetime, woeid: int) -> str:
    """Where a place's trends of an hour lie in the results bucket."""
    return key_of(hour, f"{PLACE}{woeid}")


def document(place: Place, hour: datetime, heard_at: datetime, answer: JsonObject) -> Document:
    """What is kept of X's answer (`GET /2/trends/by/woeid/{id}`) of `heard_at`, for `hour`. Raises NoTrends."""
    trends = answer.get("data")
    if not isinstance(trends, list):
        raise NoTrends(f"X has no trends for {place.name} ({place.woeid}): {_why(answer)}")
    return {
        "woeid": place.woeid,
        "place": _text(place.name),
        "window_start": _utc(hour),
        "window_end": _utc(hour + HOUR),
        "heard_at": _utc(heard_at),
        "trends": [_trend(rank, trend) for rank, trend in enumerate(_named(trends), 1)],
    }


def _named(trends: Sequence[Any]) -> list[JsonObject]:
    return [trend for trend in trends if isinstance(trend, Mapping) and isinstance(trend.get("trend_name"), str)]


def _trend(rank: int, trend: JsonObject) -> Document:
    count = trend.get("tweet_count")
    counted = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    return {"rank": rank, "name": _text(str(trend["trend_name"])), "posts": count if counted else None}


def _text(name: str) -> str:
    """A name that UTF-8 and Postgres can hold: JSON's lone halves of pairs and U+0000 are neither's."""
    return "".join(
        _REPLACEMENT if character == "\0" or "\ud800" <= character <= "\udfff" else character for character in name
    )


def _why(answer: JsonObject) -> str:
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else answer
    return str(first.get("detail") or first.get("title") or "it does not say why")[:300]


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
