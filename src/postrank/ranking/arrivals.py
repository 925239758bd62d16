"""Which arrival hours a run ingests: its own, or all that are new or have changed since they were ingested.

What an hour held when it was ingested is noted on the partitions of `post_versions` that it filled (objects,
bytes, closed); an hour without a post, such as one of log lines alone, has one partition without rows for it. An hour
is closed when it was ingested SETTLED after its end: Firehose holds a record for at most 15 minutes (Firehose,
"Buffering hints").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from postrank.aws.glue import Catalogue, Partition
from postrank.aws.prefixes import Size, measure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOUR = timedelta(hours=1)
SETTLED = timedelta(hours=1)
LATE = timedelta(days=2)  # how far back a scheduled run looks for hours that changed
CATCH_UP = timedelta(days=14)  # how far back the newest run looks, for hours that no run has ingested, too
_NEWEST = timedelta(hours=2)  # a run that starts this soon after its hours end is the newest one


@dataclass(frozen=True, slots=True)
class ArrivalHour:
    """One arrival hour of the raw zone, as it is now."""

    name: str  # 2026-11-24T05
    size: Size
    closed: bool

    @property
    def notes(self) -> dict[str, str]:
        """What to write on the partitions that the hour fills."""
        return {
            "postrank.objects": str(self.size.objects),
            "postrank.bytes": str(self.size.bytes),
            "postrank.closed": "true" if self.closed else "false",
        }


def hours_ended_in(start: datetime, end: datetime) -> list[str]:
    """The names of the arrival hours whose end lies in (start, end]: those of a data interval."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = []
    while hour + HOUR <= end:
        if hour + HOUR > start:
            hours.append(name_of(hour))
        hour += HOUR
    return hours


def name_of(hour: datetime) -> str:
    return hour.strftime("%Y-%m-%dT%H")


def start_of(name: str) -> datetime:
    return datetime.strptime(name, "%Y-%m-%dT%H").replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The raw zone beside what was ingested of it."""

    catalogue: Catalogue
    s3: "S3Client"

    def changed(self, as_of: datetime) -> list[ArrivalHour]:
        """Every catalogued hour that is new, or has changed since it was ingested."""
        return self._to_ingest(self.catalogue.partitions("raw_posts"), self._noted(""), as_of)

    def due(self, hours: Sequence[str], as_of: datetime) -> list[ArrivalHour]:
        """The given hours where they hold anything new, and earlier ones that changed after they were ingested.

        The newest run also takes every hour of CATCH_UP that no run has ingested: its run failed or was deleted, or the
        scheduler was down, which creates no runs for missed intervals. That later hours were ingested says nothing of
        an earlier one. A backfill ingests only its own hours.
        """
        first = min(hours)
        newest = as_of - (start_of(max(hours)) + HOUR) < _NEWEST
        since = start_of(first) - (CATCH_UP if newest else LATE)
        recent = self.catalogue.partitions("raw_posts", f"dt >= '{since:%Y-%m-%d}'")
        noted = self._noted(f"arrival_interval >= '{name_of(since)}'")
        missed = {hour for hour in map(_hour, recent) if newest and name_of(since) <= hour < first}
        own = [partition for partition in recent if _hour(partition) in {*hours, *noted, *missed}]
        return self._to_ingest(own, noted, as_of)

    def _noted(self, expression: str) -> dict[str, dict[str, str]]:
        """What is noted on the partitions of each hour; nothing for an hour that two runs have filled in part."""
        noted: dict[str, dict[str, str]] = {}
        for partition in self.catalogue.partitions("post_versions", expression):
            hour = partition.values[0]
            noted[hour] = {} if noted.get(hour, partition.notes) != partition.notes else partition.notes
        return noted

    def _to_ingest(
        self, partitions: Iterable[Partition], noted: dict[str, dict[str, str]], as_of: datetime
    ) -> list[ArrivalHour]:
        arrivals = []
        for partition in sorted(partitions, key=_hour):
            notes = noted.get(_hour(partition), {})
            if notes.get("postrank.closed") == "true":
                continue
            now = self._look(partition, as_of)
            if any(notes.get(key) != now.notes[key] for key in ("postrank.objects", "postrank.bytes")):
                arrivals.append(now)
            elif now.closed:
                self._close(now)
        return [arrival for arrival in arrivals if arrival.size.objects]

    def _close(self, hour: ArrivalHour) -> None:
        """Note that nothing can come any more to an hour that was ingested, so that nobody lists it again."""
        ingested = self.catalogue.partitions("post_versions", f"arrival_interval = '{hour.name}'")
        self.catalogue.point(
            "post_versions", [replace(partition, notes={**partition.notes, **hour.notes}) for partition in ingested]
        )

    def _look(self, partition: Partition, as_of: datetime) -> ArrivalHour:
        name = _hour(partition)
        location = partition.location if partition.location.endswith("/") else f"{partition.location}/"
        return ArrivalHour(name, measure(self.s3, location), start_of(name) + HOUR + SETTLED <= as_of)


def _hour(partition: Partition) -> str:
    date, hour = partition.values
    return f"{date}T{hour}"
