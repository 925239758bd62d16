"""What a run finds before it writes: the days that are touched, and what the catalogue holds already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from postrank.aws.glue import Catalogue

CORRECTIONS = "corrections"  # the posted day that holds an hour's edits and tombstones as they came
LIKES = "likes"  # the posted day that holds an hour's likes
METRICS = "metrics"  # the posted day that holds an hour's observations
PSEUDO_DAYS = frozenset((CORRECTIONS, LIKES, METRICS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """One posted day that the debt names; `arrival_hour` is empty where an earlier run still owes it.

    `is_ahead`: the day is later than the day after the arrival, and its posts are kept but not ranked.
    """

    arrival_hour: str
    posted_date: str
    first_minute: datetime
    last_minute: datetime
    is_ahead: bool = False
    lines: int = 0
    late_lines: int = 0  # posted in an hour before the arrival hour

    @classmethod
    def of(cls, row: Mapping[str, str | None]) -> "Touched":
        """Read a row of `staging/touched_days.sql`."""
        return cls(
            arrival_hour=row["arrival_interval"] or "",
            posted_date=str(row["posted_date"]),
            first_minute=_athena_time(str(row["first_minute"])),
            last_minute=_athena_time(str(row["last_minute"])),
            is_ahead=row["is_ahead"] == "true",
            lines=int(row["lines"] or 0),
            late_lines=int(row["late_lines"] or 0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogState:
    """What the catalogue holds already: the posted days of two relations, and the runs whose debt is open."""

    post_days: Mapping[str, frozenset[str]]  # posted day: the dates on which its posts arrived
    minute_days: frozenset[str]
    debt_runs: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, days: str, debt_runs: Iterable[str]) -> "CatalogState":
        """Read it from the partitions of `post_versions` and `author_minutes`; `days` says of which posted days."""
        return cls(
            post_days=_arrival_dates(partition.values for partition in catalogue.partitions("post_versions", days)),
            minute_days=frozenset(partition.values[0] for partition in catalogue.partitions("author_minutes", days)),
            debt_runs=tuple(debt_runs),
        )


def open_debts(catalogue: Catalogue) -> dict[str, str]:
    """The runs whose touched minutes are not all ranked yet, and where each run's minutes lie."""
    return {partition.values[0]: partition.location for partition in catalogue.partitions("touched_minutes")}


def _arrival_dates(partitions: Iterable[tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """The dates on which the posts of each posted day arrived, from the keys of `post_versions`."""
    by_day: dict[str, set[str]] = {}
    for hour, day in partitions:
        if day not in PSEUDO_DAYS:
            by_day.setdefault(day, set()).add(hour[:10])
    return {day: frozenset(dates) for day, dates in by_day.items()}


def _athena_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
