"""The published bundles in the artifacts bucket, and the pointer of each collector to its newest.

config/<collector>/<version>-<start of checksum>.tar.gz   never changed once it is there
config/<collector>/current.json   version, checksum, published_at, published_by, commit

Versions count from 1. The pointer changes only from what the publisher read, so of two publishers at once one fails.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.prefixes import Condition
from postrank.bundles.bundle import BadBundle, Bundle
from postrank.errors import Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "config"
_LOST_RACE = ("PreconditionFailed", "ConditionalRequestConflict")
_ABSENT = ("NoSuchKey", "404", "AccessDenied", "403")  # who may not list a bucket is denied an object that is not there


class PublishedMeanwhile(Retryable):
    """Somebody else published a bundle of the same collector at the same time."""


class DamagedPublication(Retryable):
    """A pointer or an archive in the bucket is not what was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The pointer to a published bundle."""

    version: int
    checksum: str  # of the bundle
    published_at: str = ""
    published_by: str = ""
    commit: str = ""  # of the repository, if it was published from one

    @property
    def short(self) -> str:
        """`7 (3f9a01c2b4d6)`, as people compare it."""
        return f"{self.version} ({self.checksum[:12]})"


@dataclass(slots=True)
class Publications:
    """The bundles of one collector."""

    s3: "S3Client"
    bucket: str
    collector: str
    _etag: str = field(default="", init=False)

    def current(self) -> Publication | None:
        """The newest publication; None where there is none, or none may be read. Raises DamagedPublication."""
        self.forget()
        return self.changed()

    def forget(self) -> None:
        """Have `changed` return the newest publication whatever was read before."""
        self._etag = ""

    def changed(self) -> Publication | None:
        """The newest publication, if its pointer is not the one that was read last: a conditional GET.

        Raises DamagedPublication.
        """
        condition: Condition = {"IfNoneMatch": self._etag} if self._etag else {}
        try:
            response = self.s3.get_object(Bucket=self.bucket, Key=self._pointer, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("304", "NotModified", *_ABSENT):
                return None
            raise
        body = response["Body"].read()
        self._etag = response.get("ETag", "")
        try:
            document = json.loads(body)
            return Publication(**{key: document[key] for key in Publication.__dataclass_fields__ if key in document})
        except (ValueError, TypeError) as error:
            raise DamagedPublication(f"s3://{self.bucket}/{self._pointer} points to no bundle: {error}") from error

    def bundle(self, publication: Publication) -> Bundle:
        """A published bundle, checked against its checksum. Raises DamagedPublication."""
        key = self._archive(publication)
        try:
            bundle = Bundle.from_archive(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except BadBundle as error:
            raise DamagedPublication(f"s3://{self.bucket}/{key}: {error}") from error
        if bundle.checksum != publication.checksum:
            raise DamagedPublication(f"s3://{self.bucket}/{key} has not the checksum of its pointer: publish it again")
        return bundle

    def publish(
        self, bundle: Bundle, *, at: str, by: str, commit: str = "", again: bool = False
    ) -> tuple[Publication, bool]:
        """Publish a bundle, unless the newest is the same and `again` is false; returns the publication, and whether
        it is new. A host that rejected the newest tries the same content again as a new version.

        Raises PublishedMeanwhile.
        """
        before = self.current()
        if before is not None and before.checksum == bundle.checksum and not again:
            return before, False
        version = before.version + 1 if before else 1
        publication = Publication(
            version=version, checksum=bundle.checksum, published_at=at, published_by=by, commit=commit
        )
        self.s3.put_object(Bucket=self.bucket, Key=self._archive(publication), Body=bundle.archive())
        condition: Condition = {"IfMatch": self._etag} if before else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(publication), indent=2).encode()
        try:
            self.s3.put_object(Bucket=self.bucket, Key=self._pointer, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST_RACE:
                raise
            raise PublishedMeanwhile(
                f"another bundle of {self.collector} was published at the same time: look at it, and push again"
            ) from error
        return publication, True

    @property
    def _pointer(self) -> str:
        return f"{_PREFIX}/{self.collector}/current.json"

    def _archive(self, publication: Publication) -> str:
        # Of two publishers of one version, neither overwrites what the other's pointer leads to.
        return f"{_PREFIX}/{self.collector}/{publication.version}-{publication.checksum[:12]}.tar.gz"
