"""The collectors of an environment: one small object each in the raw bucket, which Terraform or a laptop's run writes.

An environment without any has one collector, `main`: it was made for a single source.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.aws.resources import MAIN, Resources
from postrank.collectors.names import NoSuchCollector
from postrank.documents import Document
from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENDING = ".json"


class DamagedEntry(Retryable):
    """An object of the registry cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A collector, and the kind of its source; empty where that is not known."""

    name: str
    source: str = ""

    def to_json(self) -> bytes:
        return json.dumps({"source": self.source}).encode()


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of one environment."""

    s3: "S3Client"
    resources: Resources

    def entries(self) -> list[Entry]:
        """All collectors, `main` first, the others by name. Raises DamagedEntry."""
        names = self._names()
        if not names:
            return [Entry(MAIN)]
        return [self._entry(name) for name in sorted(names, key=lambda name: (name != MAIN, name))]

    def names(self) -> list[str]:
        """The names of all collectors, without a look at each."""
        return sorted(self._names() or [MAIN], key=lambda name: (name != MAIN, name))

    def entry(self, name: str) -> Entry:
        """One collector. Raises NoSuchCollector, DamagedEntry."""
        names = self.names()
        if name not in names:
            raise NoSuchCollector(name, names, f"the environment {self.resources.environment}")
        return self._entry(name) if self._names() else Entry(name)

    def publish(self, entries: Iterable[Entry]) -> None:
        """Replace the registry by these collectors."""
        bucket = self.resources.buckets["raw"]
        published = {entry.name: entry for entry in entries}
        for entry in published.values():
            self.s3.put_object(Bucket=bucket, Key=self._key(entry.name), Body=entry.to_json())
        for name in set(self._names()) - set(published):
            self.s3.delete_object(Bucket=bucket, Key=self._key(name))

    def _names(self) -> list[str]:
        prefix = self.resources.keys["collectors"]
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.resources.buckets["raw"], Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return [key.removeprefix(prefix).removesuffix(_ENDING) for key in keys if key.endswith(_ENDING)]

    def _entry(self, name: str) -> Entry:
        key = self._key(name)
        body = self.s3.get_object(Bucket=self.resources.buckets["raw"], Key=key)["Body"].read()
        try:
            document: Document = json.loads(body)
            return Entry(name, str(document["source"]))
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedEntry(f"s3://{self.resources.buckets['raw']}/{key} describes no collector: {error}") from error

    def _key(self, name: str) -> str:
        return f"{self.resources.keys['collectors']}{name}{_ENDING}"
