"""Prefixes in S3: how much lies below one, and emptying one."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ErrorTypeDef, ObjectTypeDef


class NotEmptied(Retryable):
    """S3 kept objects that were to be deleted."""

    def __init__(self, bucket: str, errors: "list[ErrorTypeDef]") -> None:
        super().__init__(f"S3 did not delete {len(errors)} objects of {bucket}, the first one so: {errors[0]}")
        self.bucket = bucket
        self.errors = errors


class Condition(TypedDict, total=False):
    """On what S3 writes an object: PutObject's conditions, each on the ETag of the object that is there."""

    IfMatch: str
    IfNoneMatch: str


@dataclass(frozen=True, slots=True)
class Size:
    """How much lies below a prefix."""

    objects: int
    bytes: int


def split(url: str) -> tuple[str, str]:
    """The bucket and the key of `s3://bucket/key`."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.lstrip("/")


def folder(location: str) -> str:
    """A location with the slash at its end that a catalogue may leave out."""
    return location if location.endswith("/") else f"{location}/"


def measure(s3: "S3Client", url: str) -> Size:
    """Count the objects below `s3://bucket/prefix/` and their bytes."""
    objects = total = 0
    for page in _pages(s3, url):
        for entry in page:
            objects += 1
            total += entry["Size"]
    return Size(objects, total)


def sizes(s3: "S3Client", url: str) -> dict[str, Size]:
    """How much lies directly in each folder (`s3://bucket/folder/`) below a prefix."""
    bucket, _ = split(url)
    totals: dict[str, Size] = {}
    for page in _pages(s3, url):
        for entry in page:
            name = f"s3://{bucket}/{entry['Key'].rsplit('/', 1)[0]}/"
            total = totals.get(name, Size(0, 0))
            totals[name] = Size(total.objects + 1, total.bytes + entry["Size"])
    return totals


def empty(s3: "S3Client", url: str) -> None:
    """Delete every object below `s3://bucket/prefix/`. Raises NotEmptied."""
    bucket, _ = split(url)
    for page in _pages(s3, url):
        _delete(s3, bucket, [entry["Key"] for entry in page])


def _delete(s3: "S3Client", bucket: str, keys: list[str]) -> None:
    """Delete the keys of one page: at most 1,000, as many as one DeleteObjects takes."""
    if keys:
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True})
        if answer.get("Errors"):
            raise NotEmptied(bucket, answer["Errors"])


def empty_unless(s3: "S3Client", url: str, exceptions: Collection[str], before: datetime) -> int:
    """Delete the objects below a prefix that were written before a time and lie in none of the `kept` folders.

    `kept` are `s3://bucket/folder/`. Returns how many were deleted; raises NotEmptied.
    """
    bucket, _ = split(url)
    deleted = 0
    for page in _pages(s3, url):
        old = [entry["Key"] for entry in page if entry["LastModified"] < before]
        stale = [key for key in old if f"s3://{bucket}/{key.rsplit('/', 1)[0]}/" not in exceptions]
        deleted += len(stale)
        _delete(s3, bucket, stale)
    return deleted


def lines(s3: "S3Client", url: str) -> Iterator[bytes]:
    """The lines of the plain text objects below `s3://bucket/prefix/`."""
    bucket, _ = split(url)
    for page in _pages(s3, url):
        for entry in page:
            yield from s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].iter_lines()


def _pages(s3: "S3Client", url: str) -> "Iterator[list[ObjectTypeDef]]":
    bucket, prefix = split(url)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        if page.get("Contents"):
            yield page["Contents"]
