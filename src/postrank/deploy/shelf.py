"""The shelf of releases in the artifacts bucket, and the pointer to the one that hosts are to boot.

streamer/<version>/{postrank-<version>-....whl,requirements.txt,SHA256SUMS}   never changed once SHA256SUMS is there
streamer/current                                                              "<version> <SHA-256 of its SHA256SUMS>"
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.prefixes import Condition
from postrank.deploy.release import SUMS, BadRelease, Release

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "streamer"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The releases in one bucket. `s3` is boto3's client."""

    s3: "S3Client"
    bucket: str

    def digest(self, version: str) -> str | None:
        """SHA-256 of a published release's checksums, or None if it was not published."""
        try:
            body = self.s3.get_object(Bucket=self.bucket, Key=f"{_PREFIX}/{version}/{SUMS}")["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        return hashlib.sha256(body).hexdigest()

    def publish(self, release: Release) -> bool:
        """Put a release on the shelf; False if the very same is there. Raises BadRelease if another is."""
        there = self.digest(release.version)
        if there is None:
            for path in release.files:
                key = f"{_PREFIX}/{release.version}/{path.name}"
                # The checksums complete a release: of two publishers at once, one is refused here.
                once: Condition = {"IfNoneMatch": "*"} if path.name == SUMS else {}
                try:
                    self.s3.put_object(Bucket=self.bucket, Key=key, Body=path.read_bytes(), **once)
                except ClientError as error:
                    if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                        raise
                    there = self.digest(release.version)
        if there is not None and there != release.sums_digest:
            raise BadRelease(
                f"s3://{self.bucket}/{_PREFIX}/{release.version}/ holds another build of {release.version}: "
                "a release is never changed; raise the version in pyproject.toml"
            )
        return there is None

    def point(self, version: str, digest: str) -> None:
        """Have a host that boots from now on install this release."""
        self.s3.put_object(Bucket=self.bucket, Key=f"{_PREFIX}/current", Body=f"{version} {digest}\n".encode())
