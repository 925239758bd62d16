"""The hashtags of hours, ranked by how far they rise above the week before: the acts of one run.

An hour is one of event time, ranked as the lake holds it when the run begins; a repeat replaces its answer. What
`rank_authors` adds to hours that have ended is owed (`hashtag_debt`) until a run ranks those hours again. The week
before stays as it was counted: a late post changes the hour that it belongs to. Each act is safe to repeat. From
`begin` to `end` a run holds the lease of the hashtags, so that no older reading replaces a newer one.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue, Partition
from postrank.aws.resources import Resources
from postrank.documents import Document, JsonObject
from postrank.ranking import publish
from postrank.ranking.arrivals import HOUR, name_of
from postrank.ranking.lease import Lease, LeaseLost
from postrank.ranking.plan import Parameters
from postrank.ranking.request import BadRequest
from postrank.ranking.run_identity import Run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LATEST = "trends/latest.json"
HOURS = "trends/hour="  # the documents of each hour
HASHTAGS = "hashtags"
DEBT = "hashtag_debt"
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


def hour_of(text: str) -> datetime:
    """The start of an hour from RFC 3339 text with an offset. Raises BadRequest."""
    try:
        hour = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("hour", f"{text!r} is no time: {error}") from error
    if hour.tzinfo is None or hour != hour.replace(minute=0, second=0, microsecond=0):
        raise BadRequest("hour", f"{text!r} is not a whole hour with an offset, such as 2026-11-24T05:00:00Z")
    return hour.astimezone(UTC)


def last_ended(moment: datetime) -> datetime:
    """The start of the last hour that has ended at a moment."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - HOUR


def key_of(hour: datetime, name: str) -> str:
    """Where a document about an hour lies in the results bucket."""
    return f"{HOURS}{name_of(hour)}/{name}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """One run. `render` fills a file of `include/sql`. Hours are named by their starts."""

    run: Run
    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    lease: Lease
    render: Callable[..., str]

    def begin(self) -> bool:
        """Take the lease of the hashtags; False while another run holds it."""
        return self.lease.acquire() is not None

    def end(self) -> None:
        """Let the next run in."""
        self.lease.release()

    @property
    def has_posts(self) -> bool:
        """Whether there is a view of posts to read."""
        return self.catalogue.has_table("posts")

    def owed(self) -> dict[str, str]:
        """The runs of `rank_authors` whose posts have not been looked at for hashtags, and where their minutes lie."""
        return {partition.values[0]: partition.location for partition in self.catalogue.partitions(DEBT)}

    def late(self, newest: datetime, owed: Iterable[str]) -> list[datetime]:
        """The hours of the week before `newest` that late posts have touched, the newest first."""
        runs = sorted(owed)
        if not runs:
            return []
        span = {"touched_from": (newest - _WEEK).isoformat(), "touched_to": newest.isoformat()}
        rows = self.athena.rows(self.render("staging/touched_hours.sql", debt_runs=runs, **span))
        return [datetime.fromisoformat(str(row["posted_hour"])).replace(tzinfo=UTC) for row in rows]

    def plan(self, hours: Sequence[datetime], top: int) -> list[Parameters]:
        """The statements that rank hours, at most `top` hashtags of each."""
        return [self._statement(number, hour, top) for number, hour in enumerate(hours)]

    def point(self, hours: Sequence[datetime], owed: Mapping[str, str]) -> list[Parameters]:
        """Check what was written, then let everybody read it; the debt is paid. Returns the exports' statements."""
        tables = [self._scratch(number) for number in range(len(hours))]
        names = [name_of(hour) for hour in hours]
        checks = (self.render(f"checks/{_RELATION}.sql", table=table) for table in tables)
        publish.require_empty(self.athena, _RELATION, checks)
        self.lease.require()
        publish.point_days(self.catalogue, _RELATION, tables, names)
        try:
            self.lease.require()
        except LeaseLost:  # another run may have ranked the same hours from newer posts: have them ranked again
            self.catalogue.point(DEBT, [Partition((run,), place) for run, place in owed.items()])
            raise
        now = self.owed()
        self.catalogue.forget(DEBT, [(run,) for run, place in owed.items() if now.get(run) == place])
        return [{"window_hour": name} for name in names]

    def publish(self, hours: Sequence[datetime], queries: Sequence[str], heading: JsonObject) -> list[str]:
        """Write each hour's hashtags, then point at the newest when no newer hour is. Returns the documents' keys."""
        for number in range(len(hours)):
            self.catalogue.drop(self._scratch(number))
        return [self._export(hour, query, heading) for hour, query in zip(hours, queries, strict=True)]

    def _export(self, hour: datetime, query: str, heading: JsonObject) -> str:
        key = key_of(hour, HASHTAGS)
        window = {"window_start": _utc(hour), "window_end": _utc(hour + HOUR)}
        hashtags = [_typed(row) for row in self.athena.rows_of(query)]
        self._put(key, {**heading, **window, "run": self.run.slug, "query": query, "hashtags": hashtags})
        if self._latest() <= window["window_start"]:
            self._put(LATEST, {"hashtags": key, **window})
        return key

    def _statement(self, number: int, hour: datetime, top: int) -> Parameters:
        week = hour - _WEEK
        return {
            "table": self._scratch(number),
            "location": self.run.location(self.resources, _RELATION, number),
            "window_hour": name_of(hour),
            "week_from": week.isoformat(),
            "window_from": hour.isoformat(),
            "window_to": (hour + HOUR).isoformat(),
            "read_days": [(week + timedelta(days=n)).date().isoformat() for n in range(8)],
            "limit": top,
        }

    def _scratch(self, number: int) -> str:
        return self.run.scratch(_RELATION, number)

    def _latest(self) -> str:
        """The start of the hour that is pointed at; an empty text when none is."""
        try:
            body = self.s3.get_object(Bucket=self.resources.buckets["results"], Key=LATEST)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return ""
        return str(json.loads(body)["window_start"])

    def _put(self, key: str, document: JsonObject) -> None:
        put_json(self.s3, self.resources.buckets["results"], key, document)


def put_json(s3: "S3Client", bucket: str, key: str, document: JsonObject) -> None:
    """Write one document of the results bucket."""
    body = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def _typed(row: Mapping[str, str | None]) -> Document:
    return {name: read(str(row[name])) for name, read in _NUMBERS.items()}


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
