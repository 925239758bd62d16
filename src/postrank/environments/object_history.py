"""Objects of a versioned bucket as they were at a moment: those that were deleted since come back, others on request.

Nothing is removed but delete markers ("Managing delete markers"), and objects that came later stay as they are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import TYPE_CHECKING

from postrank.errors import Fatal, Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CopySourceTypeDef,
        DeleteMarkerEntryTypeDef,
        ObjectIdentifierTypeDef,
        ObjectVersionTypeDef,
    )

_BATCH = 500  # objects a round; DeleteObjects takes 1000 versions
_MOST_MARKERS = 2  # of an object, whose versions are then removed by markers rather than by a copy


class NotVersioned(Fatal):
    """A bucket keeps no earlier versions of its objects."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"{bucket} keeps no versions: what was deleted there cannot come back")


class NotRestored(Retryable):
    """S3 kept delete markers that were to be removed."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object, or a delete marker. `modified` is UTC."""

    key: str
    version_id: str
    modified: datetime
    size: int  # bytes; 0 of a marker
    is_marker: bool
    is_latest: bool


@dataclass(frozen=True, slots=True)
class Restoration:
    """What brings an object back: its version, and the delete markers above it; no markers mean a copy on top."""

    version: Version
    markers: tuple[str, ...]  # version ids


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """The objects of a bucket below a prefix. `s3` is boto3's client."""

    s3: "S3Client"
    bucket: str
    prefix: str

    def plan(self, before: datetime, *, overwritten: bool) -> Iterator[Restoration]:
        """What brings back the objects that were there `before`, in the order of their keys.

        Objects that were overwritten since are left out unless `overwritten`. Raises NotVersioned.
        """
        if self.s3.get_bucket_versioning(Bucket=self.bucket).get("Status") is None:
            raise NotVersioned(self.bucket)
        for _, versions in groupby(self._versions(), key=lambda version: version.key):
            restoration = _restoration(list(versions), before, overwritten=overwritten)
            if restoration is not None:
                yield restoration

    def restore(self, restorations: Iterable[Restoration]) -> Iterator[int]:
        """Bring objects back, round by round; yields how many came back so far. May be repeated after any failure.

        Raises NotRestored.
        """
        remaining = iter(restorations)
        count = 0
        while batch := list(islice(remaining, _BATCH)):
            self._remove_markers(batch)
            for restoration in batch:
                if not restoration.markers:
                    self._copy(restoration.version)
            count += len(batch)
            yield count

    def _remove_markers(self, batch: list[Restoration]) -> None:
        markers: list[ObjectIdentifierTypeDef] = [
            {"Key": restoration.version.key, "VersionId": marker}
            for restoration in batch
            for marker in restoration.markers
        ]
        if not markers:
            return
        response = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": markers, "Quiet": True})
        if errors := response.get("Errors"):
            raise NotRestored(f"S3 kept {len(errors)} delete markers of {self.bucket}, the first one so: {errors[0]}")

    def _copy(self, version: Version) -> None:
        source: CopySourceTypeDef = {"Bucket": self.bucket, "Key": version.key, "VersionId": version.version_id}
        self.s3.copy(source, self.bucket, version.key)  # in parts where it is large

    def _versions(self) -> Iterator[Version]:
        """All versions and markers by key, the newest of each first."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            versions = [_version(entry, entry["Size"]) for entry in page.get("Versions", ())]
            markers = [_version(entry) for entry in page.get("DeleteMarkers", ())]
            newest_first = sorted(versions + markers, key=lambda version: version.modified, reverse=True)
            # Within a second, S3 says of one alone that it is the latest.
            newest_first.sort(key=lambda version: not version.is_latest)
            yield from sorted(newest_first, key=lambda version: version.key)


def _version(entry: "ObjectVersionTypeDef | DeleteMarkerEntryTypeDef", size: int | None = None) -> Version:
    """An entry of a listing; one without a size is a delete marker."""
    is_marker = size is None
    return Version(entry["Key"], entry["VersionId"], entry["LastModified"], size or 0, is_marker, entry["IsLatest"])


def _restoration(versions: list[Version], before: datetime, *, overwritten: bool) -> Restoration | None:
    """What brings an object back to what it was, if it was there and is no longer, or is another."""
    place = next((place for place, version in enumerate(versions) if version.modified <= before), None)
    if place is None or versions[place].is_marker:
        return None
    above = versions[:place]
    if not above or not (above[0].is_marker or overwritten):
        return None
    by_markers = len(above) <= _MOST_MARKERS and all(version.is_marker for version in above)
    return Restoration(versions[place], tuple(version.version_id for version in above) if by_markers else ())
