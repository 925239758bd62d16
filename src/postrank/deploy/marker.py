"""The deploy marker: an object in the raw bucket that keeps a second deployment, and `supervise_streamer`, away.

It is a lease: whoever deploys renews it, and what a killed deployment leaves behind lapses by itself. A marker without
`until`, put there by hand, holds until it is removed.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Unpack

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.prefixes import Condition
from postrank.deploy.failures import DeploymentGoesOn
from postrank.documents import Document
from postrank.posts.times import to_text

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LEASE = timedelta(seconds=120)
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")


@dataclass(slots=True)
class Marker:
    """The marker of one deployment. `s3` is boto3's client."""

    s3: "S3Client"
    bucket: str
    key: str
    lease: timedelta = LEASE
    _etag: str = ""
    _holder: dict[str, str] = field(default_factory=dict)
    _renewed: float = 0.0

    @contextmanager
    def held(self, version: str, who: str) -> Iterator[None]:
        """Take the marker and clear it at the end, whatever the end. Raises DeploymentGoesOn."""
        self._holder = {"version": version, "by": who, "since": to_text(datetime.now(UTC))}
        try:
            self._put(IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST:
                raise
            self._take_over()
        try:
            yield
        finally:
            with suppress(ClientError, BotoCoreError):  # it lapses by itself
                self.s3.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=self._etag)

    def renew(self) -> None:
        """Keep the lease; to be called often, writes seldom. Raises DeploymentGoesOn if somebody took it."""
        if time.monotonic() - self._renewed < self.lease.total_seconds() / 4:
            return
        try:
            with suppress(BotoCoreError):  # a network that is away: the lease has time for another try
                self._put(IfMatch=self._etag)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST:
                raise
            raise DeploymentGoesOn(f"the deploy marker s3://{self.bucket}/{self.key} was taken away") from error

    def _take_over(self) -> None:
        """Take a marker that has lapsed. Raises DeploymentGoesOn with what another says of itself."""
        try:
            marker = self.s3.get_object(Bucket=self.bucket, Key=self.key)
            other = json.loads(marker["Body"].read())
            etag = marker["ETag"]
        except self.s3.exceptions.NoSuchKey:  # its owner has cleared it just now
            other = {"until": to_text(datetime.now(UTC))}
            etag = None
        if lapsed(other):
            with suppress(ClientError):
                return self._put(**({"IfMatch": etag} if etag else {"IfNoneMatch": "*"}))
        raise DeploymentGoesOn(
            f"another deployment is running: {other.get('version', 'unknown')}, by {other.get('by', 'someone')}, "
            f"since {other.get('since', 'unknown')}, until {other.get('until', 'it is cleared by hand')} at most "
            f"(s3://{self.bucket}/{self.key})"
        )

    def _put(self, **condition: Unpack[Condition]) -> None:
        body = {**self._holder, "until": to_text(datetime.now(UTC) + self.lease)}
        put = self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=json.dumps(body).encode(), **condition)
        self._etag, self._renewed = put["ETag"], time.monotonic()


def lapsed(marker: Document) -> bool:
    """Whether what a marker says was left behind."""
    until = marker.get("until")
    return until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)
