"""How many lines Firehose has delivered: counted in the objects, each arrival hour again only when it has changed."""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


@dataclass(slots=True)
class Hour:
    """What lies in one arrival hour."""

    objects: int = 0
    bytes: int = 0
    lines: int = 0


class DeliveredLines:
    """Counts the lines of the gzip objects below `prefix`, by arrival hour.

    `hours` is what an earlier count found; the objects of an hour that has not changed since are not read.
    """

    def __init__(self, s3: "S3Client", bucket: str, prefix: str, hours: Mapping[str, Hour] | None = None) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix
        self._objects: dict[tuple[str, str], int] = {}  # lines by key and ETag: an object is read once
        self.hours: dict[str, Hour] = dict(hours or {})
        self.newest: datetime | None = None  # when the newest object was written

    @property
    def lines(self) -> int:
        return sum(hour.lines for hour in self.hours.values())

    @property
    def objects(self) -> int:
        return sum(hour.objects for hour in self.hours.values())

    def lines_in(self, hours: Iterable[str]) -> int:
        """The lines of some arrival hours ("2026-11-24T05")."""
        folders = (f"{self._prefix}dt={hour[:10]}/hour={hour[11:]}" for hour in hours)
        return sum(self.hours[folder].lines for folder in folders if folder in self.hours)

    def update(self) -> int:
        """Count what was delivered since the last time; returns all lines so far."""
        listed: dict[str, list[ObjectTypeDef]] = defaultdict(list)
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
            for entry in page.get("Contents", ()):
                listed[entry["Key"].rpartition("/")[0]].append(entry)
        self.hours = {folder: self._hour(entries, self.hours.get(folder)) for folder, entries in listed.items()}
        written = [entry["LastModified"] for entries in listed.values() for entry in entries]
        self.newest = max(written, default=None)
        return self.lines

    def _hour(self, entries: "list[ObjectTypeDef]", counted: Hour | None) -> Hour:
        hour = Hour(len(entries), sum(entry["Size"] for entry in entries))
        if counted and (counted.objects, counted.bytes) == (hour.objects, hour.bytes):
            return counted
        hour.lines = sum(self._lines(entry["Key"], entry["ETag"]) for entry in entries)
        return hour

    def _lines(self, key: str, etag: str) -> int:
        if (key, etag) not in self._objects:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
            with gzip.open(body) as text:
                blocks = iter(lambda: text.read(1 << 20), b"")
                self._objects[key, etag] = sum(block.count(b"\n") for block in blocks)
        return self._objects[key, etag]
