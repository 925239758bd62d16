"""How many lines Firehose has delivered so far: counted in the objects themselves, each read once."""

import gzip
from collections.abc import Iterable
from typing import Any


class DeliveredLines:
    """Counts the lines below a prefix of newline-delimited gz objects, as they come."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix
        self._lines: dict[str, int] = {}

    @property
    def lines(self) -> int:
        return sum(self._lines.values())

    @property
    def objects(self) -> int:
        return len(self._lines)

    def lines_in(self, hours: Iterable[str]) -> int:
        """The lines of some arrival hours ("2026-11-24T05")."""
        folders = tuple(f"{self._prefix}dt={hour[:10]}/hour={hour[11:]}/" for hour in hours)
        return sum(count for key, count in self._lines.items() if key.startswith(folders))

    def update(self) -> int:
        """Read the objects that are new; returns all lines so far."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix):
            for entry in page.get("Contents", ()):
                if entry["Key"] not in self._lines:
                    self._lines[entry["Key"]] = self._count(entry["Key"])
        return self.lines

    def _count(self, key: str) -> int:
        body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        with gzip.open(body) as text:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: text.read(1 << 20), b""))
