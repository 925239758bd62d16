"""The collectors of an environment: one small object each in the raw bucket, which Terraform or a laptop's run writes.

`main` is there without an object, unless one says that it is not: an environment that was made for a single source has
none of these objects, and one more collector adds one object.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.aws.resources import MAIN, Resources
from postrank.collectors.labels import NoSuchCollector
from postrank.documents import Document
from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENDING = ".json"
NO_MAIN = "_no-main"  # which is no name of a collector


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
        listed = self._listed()
        return [self._entry(name) if name in listed else Entry(name) for name in _in_order(listed)]

    def names(self) -> list[str]:
        """The names of all collectors, in the same order."""
        return _in_order(self._listed())

    def entry(self, name: str) -> Entry:
        """One collector. Raises NoSuchCollector, DamagedEntry."""
        entries = {entry.name: entry for entry in self.entries()}
        if name not in entries:
            raise NoSuchCollector(name, entries, f"the environment {self.resources.environment}")
        return entries[name]

    def publish(self, entries: Iterable[Entry]) -> None:
        """Replace the registry by these collectors; by `main` alone if there are none."""
        bucket = self.resources.buckets["raw"]
        bodies = {entry.name: entry.to_json() for entry in entries}
        if bodies and MAIN not in bodies:
            bodies[NO_MAIN] = b"{}"
        for name, body in bodies.items():
            self.s3.put_object(Bucket=bucket, Key=self._key(name), Body=body)
        for name in self._listed() - bodies.keys():
            self.s3.delete_object(Bucket=bucket, Key=self._key(name))

    def _listed(self) -> set[str]:
        """The names of the objects."""
        prefix = self.resources.keys["collectors"]
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.resources.buckets["raw"], Prefix=prefix)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key.removeprefix(prefix).removesuffix(_ENDING) for key in keys if key.endswith(_ENDING)}

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


def _in_order(listed: set[str]) -> list[str]:
    """The names of the collectors that the objects tell of."""
    others = sorted(listed - {MAIN, NO_MAIN})
    return others if NO_MAIN in listed else [MAIN, *others]
