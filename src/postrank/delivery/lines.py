"""How many lines Firehose has delivered: counted in the objects, each object once, also over many runs.

An hour may hold tens of thousands of small objects. Of one that grows, the objects that were written up to a moment are
counted on trust as long as their number and bytes stay the same; an object that shows itself late makes all of them be
read again.
"""

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_LATE = timedelta(minutes=1)  # S3 dates an object when its upload begins, and shows it when that ends
_READERS = 8  # objects that are read at once; boto3 has 10 connections


@dataclass(slots=True)
class Hour:
    """What lies in one arrival hour; `old_*` of that what was written up to `old_until` (ISO 8601, "": nothing)."""

    objects: int = 0
    bytes: int = 0
    lines: int = 0
    old_until: str = ""
    old_objects: int = 0
    old_bytes: int = 0
    old_lines: int = 0


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
        hour = Hour(len(entries), _bytes(entries))
        if counted and (counted.objects, counted.bytes) == (hour.objects, hour.bytes):
            return counted
        old = _written_until(entries, counted.old_until if counted else "")
        trusted = bool(counted and (counted.old_objects, counted.old_bytes) == (len(old), _bytes(old)))
        trusted_keys = {entry["Key"] for entry in old} if trusted else set()
        fresh = [entry for entry in entries if entry["Key"] not in trusted_keys]
        lines = self._count(fresh)
        before = counted.old_lines if counted and trusted else 0
        hour.lines = before + sum(lines.values())
        newest = max(entry["LastModified"] for entry in entries)
        hour.old_until = (newest - _LATE).isoformat()
        settled = _written_until(entries, hour.old_until)
        hour.old_objects = len(settled)
        hour.old_bytes = _bytes(settled)
        hour.old_lines = before + sum(lines.get(entry["Key"], 0) for entry in settled)
        return hour

    def _count(self, entries: "Sequence[ObjectTypeDef]") -> dict[str, int]:
        """Lines by key."""
        with ThreadPoolExecutor(_READERS, thread_name_prefix="lines") as readers:
            lines = readers.map(self._lines, entries)
            return {entry["Key"]: count for entry, count in zip(entries, lines, strict=True)}

    def _lines(self, entry: "ObjectTypeDef") -> int:
        identity = (entry["Key"], entry["ETag"])
        if identity not in self._objects:
            body = self._s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"]
            with gzip.open(body) as text:
                blocks = iter(lambda: text.read(1 << 20), b"")
                self._objects[identity] = sum(block.count(b"\n") for block in blocks)
        return self._objects[identity]


def _bytes(entries: "Iterable[ObjectTypeDef]") -> int:
    return sum(entry["Size"] for entry in entries)


def _written_until(entries: "Iterable[ObjectTypeDef]", until: str) -> "list[ObjectTypeDef]":
    """The objects that were written up to a moment."""
    if not until:
        return []
    return [entry for entry in entries if entry["LastModified"] <= datetime.fromisoformat(until)]
