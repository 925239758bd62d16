"""Which objects of the results bucket the warehouse loads, and reading them with their checksums compared."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postrank.documents import Document
from postrank.errors import Fatal, Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KINDS = {
    "ranking": re.compile(r"rankings/run=(?P<run>[^/]+)/manifest\.json\Z"),
    "posts": re.compile(r"rankings/run=(?P<run>[^/]+)/posts\.json\Z"),
    "ledgers": re.compile(r"rankings/run=(?P<run>[^/]+)/ledgers\.json\Z"),
    "hashtags": re.compile(r"trends/hour=[^/]+/hashtags\.json\Z"),
    "place": re.compile(r"trends/hour=[^/]+/place=\d+\.json\Z"),
}
_PREFIXES = ("rankings/run=", "trends/hour=")


class NotLoadable(Fatal):
    """No table is made from such an object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} is not an object that the warehouse loads")
        self.key = key


class ObjectMissing(Fatal):
    """An object that is to be loaded does not exist (any more)."""


class ObjectChanged(Retryable):
    """A file has another checksum than its manifest says: it is being exported again."""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as a listing shows it."""

    key: str
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class LoadedObject:
    """A JSON object with what identifies its content."""

    key: str
    etag: str
    checksum: str
    document: Document


def kind_of(key: str) -> str | None:
    """`ranking`, `posts`, `ledgers`, `hashtags` or `place`; None for an object that is not loaded."""
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(key)), None)


def run_of(key: str) -> str:
    """The run in the key of an export. Raises NotLoadable."""
    match = re.match(r"rankings/run=([^/]+)/", key)
    if match is None:
        raise NotLoadable(key)
    return match[1]


@dataclass(frozen=True, slots=True)
class Objects:
    """The results bucket. `s3` is boto3's S3 client."""

    s3: "S3Client"
    bucket: str

    def read(self, key: str) -> LoadedObject:
        """One JSON object. Raises ObjectMissing."""
        try:
            response = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey as error:
            raise ObjectMissing(f"s3://{self.bucket}/{key} does not exist") from error
        body = response["Body"].read()
        etag = response["ETag"].strip('"')
        return LoadedObject(key, etag, hashlib.sha256(body).hexdigest(), json.loads(body))

    def download(self, key: str, sha256: str, path: Path) -> None:
        """Download a file of an export. Raises ObjectChanged, ObjectMissing."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]
        except self.s3.exceptions.NoSuchKey as error:
            raise ObjectMissing(f"s3://{self.bucket}/{key} does not exist, but its manifest names it") from error
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for block in body.iter_chunks(1 << 20):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != sha256:
            raise ObjectChanged(f"s3://{self.bucket}/{key} has another checksum than its manifest says")

    def listed(self, since: datetime | None = None) -> Iterator[ListedObject]:
        """The loadable objects that were written since a moment (all of them without one), in order of their keys."""
        for prefix in _PREFIXES:
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    if kind_of(entry["Key"]) and (since is None or entry["LastModified"] >= since):
                        yield ListedObject(entry["Key"], entry["ETag"].strip('"'), entry["LastModified"])
