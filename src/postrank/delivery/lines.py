"""How many lines Firehose has delivered: counted in the objects, each arrival hour again only when it has changed."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from postrank.delivery.conservation import Sample

STATE = "state/delivery.json"  # in the lake bucket
_SAMPLES = 200


@dataclass(slots=True)
class Hour:
    """What lies in one arrival hour."""

    objects: int = 0
    bytes: int = 0
    lines: int = 0


@dataclass(slots=True)
class Account:
    """The running account of the posts' delivery, kept between runs as one JSON object."""

    collector: str
    base: int  # lines that were in the lake before this collector's counts began
    hours: dict[str, Hour]
    samples: list[Sample]

    @property
    def lines(self) -> int:
        return sum(hour.lines for hour in self.hours.values()) - self.base

    def add(self, sample: Sample) -> None:
        self.samples = [*self.samples, sample][-_SAMPLES:]


def load(s3: Any, bucket: str) -> Account | None:
    """The account as the last run left it."""
    try:
        kept = json.loads(s3.get_object(Bucket=bucket, Key=STATE)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    samples = [Sample(datetime.fromisoformat(one["at"]), one["acknowledged"]) for one in kept["samples"]]
    hours = {name: Hour(**hour) for name, hour in kept["hours"].items()}
    return Account(kept["collector"], kept["base"], hours, samples)


def save(s3: Any, bucket: str, account: Account) -> None:
    text = json.dumps(asdict(account), default=datetime.isoformat)
    s3.put_object(Bucket=bucket, Key=STATE, Body=text.encode(), ContentType="application/json")


def count(s3: Any, bucket: str, prefix: str, known: dict[str, Hour]) -> tuple[dict[str, Hour], datetime | None]:
    """The arrival hours below `prefix`, and the newest object's time. Unchanged hours of `known` are not read again."""
    found: dict[str, list[dict[str, Any]]] = {}
    newest: datetime | None = None
    for entry in _objects(s3, bucket, prefix):
        found.setdefault(entry["Key"].rsplit("/", 1)[0], []).append(entry)
        newest = max(newest, entry["LastModified"]) if newest else entry["LastModified"]
    return {name: _hour(s3, bucket, entries, known.get(name)) for name, entries in found.items()}, newest


def _hour(s3: Any, bucket: str, entries: list[dict[str, Any]], known: Hour | None) -> Hour:
    hour = Hour(len(entries), sum(entry["Size"] for entry in entries))
    if known and (known.objects, known.bytes) == (hour.objects, hour.bytes):
        return known
    hour.lines = sum(_lines(s3, bucket, entry["Key"]) for entry in entries)
    return hour


def _lines(s3: Any, bucket: str, key: str) -> int:
    with gzip.open(s3.get_object(Bucket=bucket, Key=key)["Body"]) as text:
        return sum(block.count(b"\n") for block in iter(lambda: text.read(1 << 20), b""))


def _objects(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())
