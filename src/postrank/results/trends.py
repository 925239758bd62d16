"""The hashtags of an hour, ranked by how far they rise above the week before: the acts of one run.

The hour is one of event time, ranked as the lake holds it when the run begins; a repeat replaces its answer. Each act
is safe to repeat.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.results import pointing
from postrank.results.arrivals import HOUR, name_of
from postrank.results.planning import Parameters
from postrank.results.run import Run

LATEST = "trends/latest.json"
_RELATION = "hashtag_ranking"
_WEEK = timedelta(days=7)
_NUMBERS: Mapping[str, Callable[[str], Any]] = {
    "rank": int,
    "hashtag": str,
    "posts": int,
    "authors": int,
    "week_posts": int,
    "usual_posts": float,
    "burst": float,
}


class NoHour(Fatal):
    """What was asked for is not an hour."""


def hour_of(text: str) -> datetime:
    """The start of an hour from RFC 3339 text with an offset. Raises NoHour."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise NoHour(f"the hour {text!r} is not a time: {error}") from error
    if found.tzinfo is None or found != found.replace(minute=0, second=0, microsecond=0):
        raise NoHour(f"the hour {text!r} must be a whole hour with an offset, such as 2026-11-24T05:00:00Z")
    return found.astimezone(UTC)


def last_ended(moment: datetime) -> datetime:
    """The start of the last hour that has ended at a moment."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """One run. `hour` is the start of the ranked hour; `render` fills a file of `include/sql`."""

    run: Run
    hour: datetime
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: Any
    render: Callable[..., str]

    def plan(self, top: int) -> list[Parameters]:
        """The statement that ranks the hour, at most `top` hashtags of it; none before there are posts."""
        if not self.catalogue.has_table("posts"):
            return []
        end, week = self.hour + HOUR, self.hour - _WEEK
        return [
            {
                "table": self._scratch,
                "location": self.run.location(self.resources, _RELATION),
                "window_hour": name_of(self.hour),
                "week_from": week.isoformat(),
                "window_from": self.hour.isoformat(),
                "window_to": end.isoformat(),
                "read_days": [(week + timedelta(days=n)).date().isoformat() for n in range(8)],
                "limit": top,
            }
        ]

    def point(self) -> list[Parameters]:
        """Check what was written, then let everybody read it. Returns the export's statement."""
        check = self.render(f"checks/{_RELATION}.sql", table=self._scratch)
        pointing.require_empty(self.athena, _RELATION, [check])
        pointing.point_days(self.catalogue, _RELATION, [self._scratch], [name_of(self.hour)])
        return [{"window_hour": name_of(self.hour)}]

    def publish(self, query: str, heading: Mapping[str, Any]) -> str:
        """Write the hour's hashtags, then point at them when no newer hour is. Returns where they are."""
        self.catalogue.drop(self._scratch)
        bucket, name = self.resources.buckets["results"], name_of(self.hour)
        key = f"trends/hour={name}/hashtags.json"
        hashtags = [_typed(row) for row in self.athena.rows_of(query)]
        window = {"window_start": _utc(self.hour), "window_end": _utc(self.hour + HOUR)}
        self._put(key, {**heading, **window, "run": self.run.slug, "query": query, "hashtags": hashtags})
        if self._latest() <= window["window_start"]:
            self._put(LATEST, {"hashtags": key, **window})
        return f"s3://{bucket}/{key}"

    @property
    def _scratch(self) -> str:
        return self.run.scratch(_RELATION)

    def _latest(self) -> str:
        """The start of the hour that is pointed at; an empty text when none is."""
        try:
            body = self.s3.get_object(Bucket=self.resources.buckets["results"], Key=LATEST)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return ""
        return str(json.loads(body)["window_start"])

    def _put(self, key: str, document: Mapping[str, Any]) -> None:
        body = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
        self.s3.put_object(Bucket=self.resources.buckets["results"], Key=key, Body=body, ContentType="application/json")


def _typed(row: Mapping[str, str | None]) -> dict[str, Any]:
    return {name: read(str(row[name])) for name, read in _NUMBERS.items()}


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
