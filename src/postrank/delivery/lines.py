"""How many lines Firehose has delivered: counted in the objects, each object once, also over many runs.

An hour may hold tens of thousands of small objects. Of one that grows, the objects that were written up to a moment are
counted on trust as long as their number and bytes stay the same; an object that shows itself late makes all of them be
read again. An hour whose objects have expired keeps its count.
"""

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from postrank.aws.resources import MAIN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_LATE = timedelta(minutes=1)  # S3 dates an object when its upload begins, and shows it when that ends
_EXPIRING = timedelta(days=2)  # the shortest time that raw objects are retained
_READERS = 8  # objects that are read at once; boto3 has 10 connections
_BLOCK = 1 << 20

Lines = Counter[str]  # lines by the collector that wrote them; those of no other collector are `main`'s


@dataclass(slots=True)
class Hour:
    """What lies in one arrival hour; `old_*` of that what was written up to `old_until` (ISO 8601, "": nothing).

    `collectors` says how many of the lines each collector wrote; the others are `main`'s.
    """

    objects: int = 0
    bytes: int = 0
    lines: int = 0
    old_until: str = ""
    old_objects: int = 0
    old_bytes: int = 0
    old_lines: int = 0
    collectors: dict[str, int] = field(default_factory=dict)
    old_collectors: dict[str, int] = field(default_factory=dict)

    @property
    def by_collector(self) -> Lines:
        """All lines, by collector."""
        return Counter({**self.collectors, MAIN: self.lines - sum(self.collectors.values())})


class DeliveredLines:
    """Counts the lines of the gzip objects below `prefix`, by arrival hour, and by collector where others than `main`
    are named.

    `hours` is what an earlier count found; the objects of an hour that has not changed since are not read. `expired` is
    what lay in hours that are no longer there.
    """

    def __init__(
        self,
        s3: "S3Client",
        bucket: str,
        prefix: str,
        hours: Mapping[str, Hour] | None = None,
        *,
        collectors: Iterable[str] = (),
        expired: Mapping[str, int] | None = None,
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._prefix = prefix
        self._label = _pattern([name for name in collectors if name != MAIN])
        self._objects: dict[tuple[str, str], Lines] = {}  # by key and ETag: an object is read once
        self.hours: dict[str, Hour] = dict(hours or {})
        self.expired: Lines = Counter(expired or {})
        self.newest: datetime | None = None  # when the newest object was written

    @property
    def lines(self) -> int:
        return sum(hour.lines for hour in self.hours.values()) + self.expired.total()

    @property
    def objects(self) -> int:
        return sum(hour.objects for hour in self.hours.values())

    def lines_of(self, collector: str) -> int:
        """The lines that one collector wrote."""
        return self.expired[collector] + sum(hour.by_collector[collector] for hour in self.hours.values())

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
        for folder in self.hours.keys() - listed.keys():
            if _may_expire(folder):
                self.expired += self.hours[folder].by_collector
        self.hours = {folder: self._hour(folder, entries) for folder, entries in listed.items()}
        written = [entry["LastModified"] for entries in listed.values() for entry in entries]
        self.newest = max(written, default=None)
        return self.lines

    def _hour(self, folder: str, entries: "list[ObjectTypeDef]") -> Hour:
        counted = self.hours.get(folder)
        hour = Hour(len(entries), _bytes(entries))
        if counted and (counted.objects, counted.bytes) == (hour.objects, hour.bytes):
            return counted
        if counted and hour.objects < counted.objects and _may_expire(folder):
            return counted  # the others are about to expire too
        old = _written_until(entries, counted.old_until if counted else "")
        trusted = bool(counted and (counted.old_objects, counted.old_bytes) == (len(old), _bytes(old)))
        trusted_keys = {entry["Key"] for entry in old} if trusted else set()
        lines = self._count([entry for entry in entries if entry["Key"] not in trusted_keys])
        before: Lines = Counter()
        if counted and trusted:
            before = Counter({**counted.old_collectors, MAIN: counted.old_lines - sum(counted.old_collectors.values())})
        newest = max(entry["LastModified"] for entry in entries)
        hour.old_until = (newest - _LATE).isoformat()
        settled = _written_until(entries, hour.old_until)
        hour.old_objects = len(settled)
        hour.old_bytes = _bytes(settled)
        hour.lines, hour.collectors = _parts(before, lines.values())
        old_lines = [lines[entry["Key"]] for entry in settled if entry["Key"] in lines]
        hour.old_lines, hour.old_collectors = _parts(before, old_lines)
        return hour

    def _count(self, entries: "Sequence[ObjectTypeDef]") -> dict[str, Lines]:
        """Lines by key."""
        with ThreadPoolExecutor(_READERS, thread_name_prefix="lines") as readers:
            lines = readers.map(self._lines, entries)
            return {entry["Key"]: count for entry, count in zip(entries, lines, strict=True)}

    def _lines(self, entry: "ObjectTypeDef") -> Lines:
        identity = (entry["Key"], entry["ETag"])
        if identity not in self._objects:
            body = self._s3.get_object(Bucket=self._bucket, Key=entry["Key"])["Body"]
            with gzip.open(body) as text:
                self._objects[identity] = _lines_by_collector(iter(lambda: text.read(_BLOCK), b""), self._label)
        return self._objects[identity]


def _pattern(collectors: Sequence[str]) -> re.Pattern[bytes] | None:
    """What the line of one of the collectors holds, and no text within a line can: a text's quotes are escaped."""
    if not collectors:
        return None
    names = "|".join(re.escape(name) for name in collectors)
    return re.compile(rf'"collector": ?"({names})"'.encode())


def _lines_by_collector(blocks: Iterable[bytes], label: re.Pattern[bytes] | None) -> Lines:
    """The lines of a text that comes in blocks."""
    lines: Lines = Counter()
    total = 0
    rest = b""
    for block in blocks:
        total += block.count(b"\n")
        if label is not None:
            whole, newline, rest = (rest + block).rpartition(b"\n")
            lines.update(name.decode() for name in label.findall(whole + newline))
    lines[MAIN] = total - lines.total()
    return lines


def _parts(before: Lines, lines: Iterable[Lines]) -> tuple[int, dict[str, int]]:
    """All lines, and how many of them the collectors beside `main` wrote."""
    counts = sum(lines, before)
    return counts.total(), {name: count for name, count in counts.items() if name != MAIN}


def _may_expire(folder: str) -> bool:
    """Whether the objects of an arrival hour are so old that a lifecycle rule may have deleted them."""
    if (match := re.search(r"dt=(\d{4}-\d{2}-\d{2})/", folder)) is None:
        return False
    return datetime.now(UTC).date() - date.fromisoformat(match[1]) > _EXPIRING


def _bytes(entries: "Iterable[ObjectTypeDef]") -> int:
    return sum(entry["Size"] for entry in entries)


def _written_until(entries: "Iterable[ObjectTypeDef]", until: str) -> "list[ObjectTypeDef]":
    """The objects that were written up to a moment."""
    if not until:
        return []
    return [entry for entry in entries if entry["LastModified"] <= datetime.fromisoformat(until)]
