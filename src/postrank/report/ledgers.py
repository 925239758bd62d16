"""What the ledgers say of a run, exported beside its ranking: the gaps in its interval, what each hop took and gave."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from postrank.documents import Document
from postrank.ranking.export_reader import Results
from postrank.report.exports import LEDGERS, Export

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Row = Document


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The ledgers below `prefix` of the raw bucket: newline JSON at `<prefix><kind>/dt=YYYY-MM-DD/`."""

    s3: "S3Client"
    bucket: str
    prefix: str

    def rows(self, kind: str, days: Iterable[str]) -> Iterator[Row]:
        """The rows of a kind (`gaps`, `hop_counts`) that were noted on some days (YYYY-MM-DD)."""
        for day in days:
            below = f"{self.prefix}{kind}/dt={day}/"
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
                for entry in page.get("Contents", ()):
                    body = self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
                    yield from map(orjson.loads, body.splitlines())

    def export(self, export: Export, results: Results) -> None:
        """Write what concerns the run into its export. A gap is noted when it ends: on a day of the run's arrivals."""
        manifest = export.manifest
        hours = [*manifest.get("arrival_hours", ()), manifest["exported_at"]]
        days = sorted({hour[: len("2026-01-01")] for hour in hours})
        documents = {
            "gaps": gaps_within(self.rows("gaps", days), manifest["interval"]),
            "hop_counts": newest_by_hop(self.rows("hop_counts", days)),
        }
        key = f"rankings/run={export.run}/{LEDGERS}"
        body = orjson.dumps(documents, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        results.s3.put_object(Bucket=results.bucket, Key=key, Body=body, ContentType="application/json")


def gaps_within(rows: Iterable[Row], interval: Mapping[str, str]) -> list[Row]:
    """The gaps that meet `[start, end)`, earliest first; of rows about the same gap the one noted last."""
    start = _instant(interval["start"])
    end = _instant(interval["end"])
    newest: dict[tuple[str, ...], Row] = {}
    for row in sorted(rows, key=lambda row: str(row["noted_at"])):
        if _instant(row["gap_from"]) < end and _instant(row["gap_to"]) > start:
            newest[(row["source"], row["gap_from"], row["gap_to"])] = row
    return sorted(newest.values(), key=lambda row: (str(row["gap_from"]), str(row["source"])))


def newest_by_hop(rows: Iterable[Row]) -> list[Row]:
    """The last count of each hop of each collector: counts run on, so the last one holds them all."""
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: str(row["noted_at"])):
        newest[(row["collector"], row["hop"])] = row
    return list(newest.values())


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
