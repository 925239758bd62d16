"""The plan of a ranking run, in the steps in which it becomes known: what arrived, what that touches, what to write.

Every step returns plain JSON: the parameters of statements in `include/sql`, one mapping a statement.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from postrank.aws.resources import Resources
from postrank.documents import Document
from postrank.ranking.arrivals import HOUR, start_of
from postrank.ranking.catalog_state import CORRECTIONS, LIKES, METRICS, PSEUDO_DAYS, CatalogState, Touched
from postrank.ranking.request import LIKES_RECEIVED, RankingRequest
from postrank.ranking.run_identity import Run

PARTITIONS_A_STATEMENT = 100  # Athena, "Considerations and limitations for CTAS queries"
EVER = ""
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)

SCOPED = "scoped_minutes"
WRITTEN = ("post_versions", "author_minutes", SCOPED, "author_ranking")
LIKES_DAYS = 31  # how many days after its moment a like may arrive and still count

Parameters = Document


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back, in arrival time, corrections and posts find each other; None means without end."""

    corrections: timedelta | None  # a post that arrives after its own tombstone or edit
    versions: timedelta | None  # an edit, a tombstone or the same post that arrives after a post

    @classmethod
    def scheduled(cls) -> "Horizon":
        """The bounds of an hourly run, so that it costs the same whatever lies behind it."""
        return cls(corrections=timedelta(days=2), versions=timedelta(days=30))

    @classmethod
    def endless(cls) -> "Horizon":
        return cls(corrections=None, versions=None)


def arrivals(run: Run, resources: Resources, hours: Sequence[str]) -> list[Parameters]:
    """The statement that stages the hours' lines; none when nothing arrived."""
    if not hours:
        return []
    return [
        {
            "table": run.scratch("arrivals"),
            "location": run.location(resources, "arrivals"),
            "arrival_hours": list(hours),
            "arrival_dates": sorted({name[:10] for name in hours}),
            "arrival_clock_hours": sorted({name[11:] for name in hours}),
        }
    ]


def touched(run: Run, resources: Resources, hours: Sequence[str], horizon: Horizon) -> list[Parameters]:
    """The statement that finds what the staged hours touch, among the posts of earlier hours, too."""
    if not hours:
        return []
    first = start_of(min(hours))
    return [
        {
            "table": run.scratch("touched_minutes"),
            "location": run.location(resources, "touched_minutes"),
            "arrivals": run.scratch("arrivals"),
            "arrival_hours": list(hours),
            "corrections_since": _since(first, horizon.corrections),
            "versions_since": _since(first, horizon.versions),
        }
    ]


def days_near(request: RankingRequest, touched: Sequence[Touched], data_hours: Sequence[str]) -> str:
    """The condition on `posted_date` that holds for every day which a layout may ask about; empty for all.

    Those are the days that are touched or asked for, and one more on each side: what lies further back costs nothing.
    """
    bounds = [moment.date().isoformat() for moment in (request.start, request.end) if moment]
    touched_days = [day.posted_date for day in touched if not day.is_ahead]
    days = [*bounds, *touched_days, *(hour[:10] for hour in data_hours)]
    if len(bounds) == 1 or not days:  # an interval that is open on one side reaches as far as the lake
        return ""
    return f"posted_date >= '{_shift(min(days), -1)}' and posted_date <= '{_shift(max(days), 1)}'"


def has_corrections(lines: Mapping[str, int]) -> bool:
    """Whether edits or tombstones are among staged lines, counted by kind."""
    return bool(lines.get("edit") or lines.get("delete"))


def has_likes(lines: Mapping[str, int]) -> bool:
    """Whether likes are among staged lines, counted by kind."""
    return bool(lines.get("like") or lines.get("redacted_like"))


def has_metrics(lines: Mapping[str, int]) -> bool:
    """Whether observations are among staged lines, counted by kind."""
    return bool(lines.get("metrics"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Plans the statements that write, once it is known what was touched."""

    run: Run
    resources: Resources
    request: RankingRequest
    catalog: CatalogState
    touched: Sequence[Touched]
    arrival_hours: Sequence[str]  # staged by this run
    data_hours: Sequence[str]  # of a scheduled run; empty by hand
    has_corrections: bool
    has_likes: bool = False
    has_metrics: bool = False

    def statements(self) -> dict[str, list[Parameters]]:
        """The parameters of every statement, by what it writes."""
        return {
            "post_versions": self.post_versions(),
            "author_minutes": self.author_minutes(),
            "scoped_minutes": self.scoped_minutes(),
            "author_ranking": self.author_ranking(),
            "exports": self.exports(),
        }

    def post_versions(self) -> list[Parameters]:
        """Statements of at most 100 pairs of arrival hour and posted day."""
        pairs = {f"{day.arrival_hour}/{day.posted_date}" for day in self.touched if day.arrival_hour}
        if self.has_corrections:
            pairs |= {f"{hour}/{CORRECTIONS}" for hour in self.arrival_hours}
        if self.has_likes:
            pairs |= {f"{hour}/{LIKES}" for hour in self.arrival_hours}
        if self.has_metrics:
            pairs |= {f"{hour}/{METRICS}" for hour in self.arrival_hours}
        return [
            {
                **self._target("post_versions", chunk),
                "arrivals": self.run.scratch("arrivals"),
                "touched": self.run.scratch("touched_minutes"),
                "pairs": some,
            }
            for chunk, some in enumerate(chunks(pairs))
        ]

    @property
    def lines_ahead(self) -> int:
        """How many lines of this run's hours are posts that are dated too far ahead to be ranked."""
        return sum(day.lines for day in self.touched if day.is_ahead and day.arrival_hour)

    @property
    def late_lines(self) -> int:
        """How many lines of this run's hours are posts and edits that were posted in an earlier hour."""
        return sum(day.late_lines for day in self.touched if day.arrival_hour)

    def author_minutes(self) -> list[Parameters]:
        """Statements of at most 100 posted days: those touched, and the day after one whose last minute was."""
        return [
            {
                **self._target("author_minutes", chunk),
                "days": days,
                "read_days": sorted({*days, *(_shift(day, -1) for day in days)} & self._post_days()),
            }
            for chunk, days in enumerate(chunks(self._rebuilt_days()))
        ]

    def scoped_minutes(self) -> list[Parameters]:
        """The statement that counts what the default ranking does not: another metric, or the posts of a tag."""
        bounds = self._bounds()
        if bounds is None or not self.request.is_scoped:
            return []
        days = {day for params in self.author_ranking() for day in params["read_days"]}
        weights = {f"{name}_weight": weight for name, weight in self.request.weights.items()}
        return [
            {
                **self._target(SCOPED, 0),
                **weights,
                "read_days": sorted(days),
                "include_reposts": self.request.include_reposts,
                "has_tag": bool(self.request.tag),
                "tag": self.request.tag,
                "likes_since": min(days, default="9"),
                "likes_until": _shift(max(days), LIKES_DAYS) if days else "",
            }
        ]

    def author_ranking(self) -> list[Parameters]:
        """Statements of at most 100 days of windows, and one for the whole interval where that is not among them."""
        bounds = self._bounds()
        if bounds is None:
            return []
        days = self._ranked_days()
        parts_of_days = list(chunks(days))
        granularities = list(self.request.granularities)
        whole_day = bounds[0].date().isoformat()
        finite = [granularity for granularity in granularities if granularity != "all"]
        parts = [(chunk, finite) for chunk in parts_of_days]
        if "all" in granularities:
            if len(parts_of_days) == 1 and len({*days, whole_day}) <= PARTITIONS_A_STATEMENT:
                parts = [(sorted({*days, whole_day}), granularities)]
            else:
                parts.append(([whole_day], ["all"]))
        return [self._ranking(n, some, windows, bounds) for n, (some, windows) in enumerate(p for p in parts if p[1])]

    def exports(self) -> list[Parameters]:
        """The parameters of the export and of the counts beside it."""
        bounds = self._bounds()
        if bounds is None:
            return []
        days = (self._days_between(*bounds) if self._has_interval() else self._ranked_days()) & self._post_days()
        dates = {hour[:10] for hour in self.arrival_hours}
        dates = dates.union(*(self.catalog.post_days.get(day, ()) for day in days))
        return [{**self._window(bounds), "run": self.run.slug, "days": sorted(days), "arrival_dates": sorted(dates)}]

    def _ranking(
        self, chunk: int, days: list[str], windows: list[str], bounds: tuple[datetime, datetime]
    ) -> Parameters:
        spanned = self._days_between(*bounds) if "all" in windows else set()
        read = {*days, *(_shift(day, -1) for day in days), *spanned}
        scoped = self.request.is_scoped
        column = "" if scoped or self.request.include_reposts else "original_"
        minute_days = spanned | {*days} if self.request.weights[LIKES_RECEIVED] else set()
        return {
            **self._target("author_ranking_revisions", chunk),
            **self._window(bounds),
            "run": self.run.slug,
            "days": days,
            "read_days": sorted(read & (self._minute_days() | minute_days)),
            "minutes": self.run.scratch(SCOPED) if scoped else "author_minutes",
            "windows": windows,
            "scope": self.request.scope,
            "networks_ranked": list(self.request.networks),
            "all_networks": not self.request.networks,
            "limit": self.request.top,
            "order_column": self.request.order,
            "posts_column": f"{column}posts",
            "peak_column": f"{column}peak_at_posts",
            "tail_column": f"{column}tail",
            "debt_runs": list(self._debt()),
        }

    def _window(self, bounds: tuple[datetime, datetime]) -> Parameters:
        start, end = (moment.isoformat().replace("+00:00", "Z") for moment in bounds)
        return {"all_from": start, "all_to": end, "has_interval": self._has_interval()}

    def _has_interval(self) -> bool:
        return self.request.start is not None or self.request.end is not None

    def _bounds(self) -> tuple[datetime, datetime] | None:
        """The window `all`: as asked, the scheduled hours, or as far as what was touched. None: nothing to rank."""
        if self.data_hours and not self._has_interval():
            return start_of(min(self.data_hours)), start_of(max(self.data_hours)) + HOUR
        start = self.request.start
        end = self.request.end
        if ranked := self._ranked_touched():
            start = start or min(day.first_minute for day in ranked)
            end = end or max(day.last_minute for day in ranked) + _MINUTE
        if self.catalog.minute_days and self._has_interval():
            start = start or _midnight(min(self.catalog.minute_days))
            end = end or _midnight(max(self.catalog.minute_days)) + _DAY
        return (start, end) if start and end and start < end else None

    def _debt(self) -> tuple[str, ...]:
        return tuple(sorted({*self.catalog.debt_runs, self.run.slug}))

    def _touched_days(self) -> set[str]:
        return {day.posted_date for day in self._ranked_touched()}

    def _ranked_touched(self) -> list[Touched]:
        return [day for day in self.touched if not day.is_ahead]

    def _post_days(self) -> set[str]:
        return {*self.catalog.post_days, *self._touched_days()} - PSEUDO_DAYS

    def _rebuilt_days(self) -> set[str]:
        spilling = {
            _shift(day.posted_date, 1) for day in self._ranked_touched() if day.last_minute.strftime("%H:%M") == "23:59"
        }
        return self._touched_days() | (spilling & self._post_days())

    def _minute_days(self) -> set[str]:
        return {*self.catalog.minute_days, *self._rebuilt_days()}

    def _ranked_days(self) -> set[str]:
        due = self._touched_days()
        due |= {_shift(day, 1) for day in due} & self._minute_days()
        bounds = self._bounds()
        return due | (self._days_between(*bounds) if bounds and self._has_interval() else set())

    def _days_between(self, start: datetime, end: datetime) -> set[str]:
        first = start.date().isoformat()
        last = (end - timedelta(microseconds=1)).date().isoformat()
        days = {day for day in self._minute_days() | self._post_days() if first <= day <= last}
        if self.request.weights[LIKES_RECEIVED]:  # a day may have likes and no posts
            days |= set(_calendar(first, last))
        return days

    def _target(self, relation: str, chunk: int) -> Parameters:
        return {
            "table": self.run.scratch(relation, chunk),
            "location": self.run.location(self.resources, relation, chunk),
        }


def _since(first: datetime, reach: timedelta | None) -> str:
    return EVER if reach is None else (first - reach).strftime("%Y-%m-%dT%H")


def chunks(keys: Iterable[str]) -> Iterable[list[str]]:
    """Sorted keys in lists that one statement may write as partitions."""
    ordered = sorted(keys)
    return (ordered[n : n + PARTITIONS_A_STATEMENT] for n in range(0, len(ordered), PARTITIONS_A_STATEMENT))


def _shift(day: str, days: int) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:  # the first day before which, or the last day after which, the calendar has none
        return day


def _calendar(first: str, last: str) -> Iterator[str]:
    """All days from one to another."""
    for ordinal in range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1):
        yield date.fromordinal(ordinal).isoformat()


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
