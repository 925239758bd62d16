"""What a run of `rank_authors` was asked for, checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from postrank.documents import JsonObject
from postrank.errors import Fatal

GRANULARITIES = ("minute", "hour", "day", "all")
ORDERS = ("posts", "peak_60s")
LIKES_RECEIVED = "likes_received"
EVENTS = ("posts", "reposts_made", "reposts_received", LIKES_RECEIVED)  # what a metric may count
METRICS = (*EVENTS, "engagement")
ENGAGEMENT = {"posts": 0, "reposts_made": 0, "reposts_received": 2, LIKES_RECEIVED: 1}  # unless weights are given
WEIGHT_LIMIT = 1_000
TOP_LIMIT = 100_000
TAG_LIMIT = 256  # characters
NETWORK_PATTERN = r"^[a-z0-9][a-z0-9._:-]{0,252}$"
TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$"


class BadRequest(Fatal):
    """A parameter has no meaning."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRequest:
    """The parameters of a ranking. `start` and `end` are aware UTC, whole minutes; None: as far as what arrived."""

    start: datetime | None
    end: datetime | None
    granularities: tuple[str, ...]
    networks: tuple[str, ...]  # sorted; empty means all, together
    top: int
    include_reposts: bool
    order: str
    metric: str = "posts"
    weights: Mapping[str, int] = field(default_factory=lambda: _weights("posts", None))  # by EVENTS
    tag: str = ""  # empty: all posts

    @classmethod
    def of(cls, params: JsonObject) -> "RankingRequest":
        """Read a DAG run's params. Raises BadRequest; the params' JSON schema has refused most nonsense before."""
        start = _moment("interval_start", params)
        end = _moment("interval_end", params)
        if start and end and start >= end:
            raise BadRequest("interval_end", f"{_utc(end)} is not after interval_start, {_utc(start)}")
        networks = tuple(sorted(set(params.get("networks") or ())))
        for network in networks:
            if not re.fullmatch(NETWORK_PATTERN, network):
                raise BadRequest("networks", f"{network!r} is no network's name")
        return cls(
            start=start,
            end=end,
            granularities=_granularities(params.get("granularities") or GRANULARITIES),
            networks=networks,
            top=_top(params.get("top", 100)),
            include_reposts=bool(params.get("include_reposts", True)),
            order=_order(params.get("order", "posts")),
            metric=_metric(params.get("metric", "posts")),
            weights=_weights(params.get("metric", "posts"), params.get("weights")),
            tag=_tag(params.get("tag")),
        )

    @property
    def scope(self) -> str:
        """What the ranking is over: revisions count within one scope. `*` is the ranking that every schedule makes."""
        words = [",".join(self.networks) or "*"]
        if not self.include_reposts:
            words.append("without reposts")
        if self.metric == "engagement":
            words.append("of engagement " + ",".join(f"{name}={weight}" for name, weight in self.weights.items()))
        elif self.metric != "posts":
            words.append(f"of {self.metric}")
        if self.tag:
            words.append(f"tagged {self.tag}")
        if self.order != "posts":
            words.append(f"by {self.order}")
        return " ".join(words)

    @property
    def is_scoped(self) -> bool:
        """Whether it counts something else than `author_minutes` does."""
        return self.metric != "posts" or bool(self.tag)

    @property
    def settles(self) -> bool:
        """Whether such a ranking pays the whole ranking debt: the default scope, in every granularity."""
        return self.scope == "*" and set(self.granularities) == set(GRANULARITIES)


def _moment(parameter: str, params: JsonObject) -> datetime | None:
    value = params.get(parameter)
    if value in (None, ""):
        return None
    if not re.fullmatch(TIME_PATTERN, str(value)):
        raise BadRequest(parameter, f"{value!r} is not a time like 2026-11-24T05:00:00Z")
    try:
        moment = datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(parameter, f"{value!r} is no time: {error}") from error
    if moment.second or moment.microsecond:
        raise BadRequest(parameter, f"{value!r} is not a whole minute, and windows are made of whole minutes")
    return moment


def _granularities(value: Any) -> tuple[str, ...]:
    unknown = sorted(set(value) - set(GRANULARITIES))
    if unknown:
        raise BadRequest("granularities", f"{', '.join(unknown)} is none of {', '.join(GRANULARITIES)}")
    return tuple(granularity for granularity in GRANULARITIES if granularity in value)


def _top(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= TOP_LIMIT:
        raise BadRequest("top", f"{value!r} is not a number from 1 to {TOP_LIMIT}")
    return value


def _order(value: Any) -> str:
    if value not in ORDERS:
        raise BadRequest("order", f"{value!r} is none of {', '.join(ORDERS)}")
    return str(value)


def _metric(value: object) -> str:
    if value not in METRICS:
        raise BadRequest("metric", f"{value!r} is none of {', '.join(METRICS)}")
    return str(value)


def _weights(metric: str, value: object) -> dict[str, int]:
    """How much each kind of event counts. Raises BadRequest."""
    if value is not None and not isinstance(value, Mapping):
        raise BadRequest("weights", f"{value!r} is no object of weights by event")
    if value and metric != "engagement":
        raise BadRequest("weights", f"are of the metric engagement, and the metric is {metric}")
    if metric != "engagement":
        return {name: int(name == metric) for name in EVENTS}
    weights = dict(value or ENGAGEMENT)
    if unknown := sorted(weights.keys() - set(EVENTS)):
        raise BadRequest("weights", f"{', '.join(unknown)} is none of {', '.join(EVENTS)}")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= WEIGHT_LIMIT:
            raise BadRequest("weights", f"{name} is {weight!r}, not a whole number from 0 to {WEIGHT_LIMIT}")
    if not any(weights.values()):
        raise BadRequest("weights", "are all 0, so nothing would count")
    return {name: weights.get(name, 0) for name in EVENTS}


def _tag(value: object) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or len(value) > TAG_LIMIT or not value.isprintable():
        raise BadRequest("tag", f"must be the text of a tag, of at most {TAG_LIMIT} characters")
    return value


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
