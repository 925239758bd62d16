"""The minutes that the streamer, or Spark, counted on the stream, held to those that the lake counts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postrank.aws.athena import Athena
from postrank.aws.glue import Catalogue
from postrank.aws.resources import MAIN, Resources
from postrank.documents import JsonObject
from postrank.errors import Fatal
from postrank.ranking.arrivals import HOUR, name_of, start_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STATE = "state/windows.json"  # in the lake bucket: {"compared_to": "2026-11-24T05:00:00.000Z"}
SPARK_STATE = "state/spark_windows.json"  # likewise
_LONGEST = timedelta(days=1)  # what is older is left to the daily comparison of whole days


class WindowsDiffer(Fatal):
    """The stream counted a closed minute otherwise than the lake."""

    def __init__(self, rows: Sequence[JsonObject], hop: str = "windows") -> None:
        first = ", ".join(f"{name} {value}" for name, value in rows[0].items())
        super().__init__(f"hop {hop}: {len(rows)} or more closed minutes differ, the first: {first}")
        self.rows = rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`render` fills a file of `include/sql`; `collectors` are the environment's. `statement` selects what differs,
    `hop` names it in messages, `state` is the object that says how far it was compared.
    """

    resources: Resources
    athena: Athena
    catalogue: Catalogue
    s3: "S3Client"
    render: Callable[..., str]
    collectors: Sequence[str] = (MAIN,)
    statement: str = "checks/stream_windows.sql"
    hop: str = "windows"
    state: str = STATE

    def hold(self, start: datetime, end: datetime, settled: datetime) -> None:
        """Compare the minutes of `[start, end)`; what arrived before the end of the hour `settled` must be on both
        sides. Raises WindowsDiffer.
        """
        statement = self.render(
            self.statement,
            days=_days(start, end),
            window_dates=_days(start, end + timedelta(days=1)),  # a minute may be told, and corrected, the day after
            window_from=_text(start),
            window_to=_text(end),
            settled_hour=name_of(settled),
            collectors=list(self.collectors),
            main=MAIN,
        )
        if rows := self.athena.rows(statement):
            raise WindowsDiffer(rows, self.hop)

    def hold_new(self, now: datetime) -> str:
        """Compare the hours that have closed since the last time; tells which. Raises WindowsDiffer, each time again
        until the hour is a day old.
        """
        closed = self._closed(now)
        if closed is None:
            return "no arrival hour of the last day is closed yet"
        end = closed - HOUR  # a post and the window that counts it may be delivered on two sides of an hour
        start = max(self._compared_to(), end - _LONGEST)
        if start >= end:
            return f"the stream's minutes before {_text(end)} were the lake's"
        self.hold(start, end, settled=end)
        self._keep(end)
        return f"the stream's minutes from {_text(start)} to {_text(end)} equal the lake's"

    def _closed(self, now: datetime) -> datetime | None:
        """The newest arrival hour of the last day that is ingested and can bring nothing more."""
        recent = self.catalogue.partitions("post_versions", f"arrival_interval >= '{name_of(now - _LONGEST)}'")
        closed = [partition.values[0] for partition in recent if partition.notes.get("postrank.closed") == "true"]
        return start_of(max(closed)) if closed else None

    def _compared_to(self) -> datetime:
        try:
            state = self.s3.get_object(Bucket=self.resources.buckets["lake"], Key=self.state)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return start_of("1970-01-01T00")
        return datetime.fromisoformat(json.loads(state)["compared_to"])

    def _keep(self, end: datetime) -> None:
        body = json.dumps({"compared_to": _text(end)}).encode()
        bucket = self.resources.buckets["lake"]
        self.s3.put_object(Bucket=bucket, Key=self.state, Body=body, ContentType="application/json")


def _days(start: datetime, end: datetime) -> list[str]:
    """The dates that `[start, end)` meets."""
    first = start.date()
    last = (end - timedelta(microseconds=1)).date()
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def _text(moment: datetime) -> str:
    """As the contract writes times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
