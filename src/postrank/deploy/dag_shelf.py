"""The releases of the DAGs in the artifacts bucket, and which of them is active.

airflow/releases/<version>/...            never changed once its SHA256SUMS is there
airflow/current.json                      version and digest of the active release, and of the one before
dags/ plugins.zip requirements.txt startup.sh   copies of the active release, where Amazon MWAA reads

A write of the pointer activates a release: hosts that pull see all of it or nothing. MWAA reads the copies one by one.
"""

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from postrank.aws.prefixes import Condition
from postrank.deploy.dag_release import PLUGINS, DagRelease
from postrank.deploy.release import SUMS, BadRelease
from postrank.errors import Fatal, Retryable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

ROOT = "airflow"
_POINTER = f"{ROOT}/current.json"
_DAGS = "dags/"
_LOST = ("PreconditionFailed", "ConditionalRequestConflict")


class NotActivated(Fatal):
    """A release of the DAGs cannot be activated; the active one stays."""


class ActivatedMeanwhile(Retryable):
    """Somebody else activated a release at the same time."""


class DamagedRelease(Retryable):
    """What was pulled is not what was published."""


@dataclass(frozen=True, slots=True)
class Activation:
    """The pointer: the active release, and the one that a rollback returns to."""

    version: str
    digest: str  # SHA-256 of its SHA256SUMS
    activated_at: str
    activated_by: str
    previous_version: str | None = None
    previous_digest: str | None = None


@dataclass(slots=True)
class DagShelf:
    """The releases in one bucket. `s3` is boto3's client."""

    s3: "S3Client"
    bucket: str

    def digest(self, version: str) -> str | None:
        """SHA-256 of a published release's checksums, or None if it was not published."""
        try:
            return hashlib.sha256(self._get(f"{_prefix(version)}{SUMS}")).hexdigest()
        except self.s3.exceptions.NoSuchKey:
            return None

    def publish(self, release: DagRelease) -> bool:
        """Upload a release; False if the very same is there. Raises BadRelease if another is."""
        existing = self.digest(release.version)
        if existing is None:
            for name, path in release.files.items():
                # The checksums complete a release: of two publishers at once, one is refused here.
                once: Condition = {"IfNoneMatch": "*"} if name == SUMS else {}
                try:
                    self.s3.put_object(
                        Bucket=self.bucket, Key=_prefix(release.version) + name, Body=path.read_bytes(), **once
                    )
                except ClientError as error:
                    if error.response["Error"]["Code"] not in _LOST:
                        raise
                    existing = self.digest(release.version)
        if existing is not None and existing != release.digest:
            raise BadRelease(
                f"s3://{self.bucket}/{_prefix(release.version)} holds another build of {release.version}: a release "
                "is never changed; commit what differs, which gives it another version"
            )
        return existing is None

    def active(self) -> Activation | None:
        """The active release, or None before the first activation."""
        return self._pointer()[0]

    def activate(self, version: str, *, at: str, by: str) -> Activation:
        """Make a published release the active one. Raises NotActivated, ActivatedMeanwhile."""
        digest = self.digest(version)
        if digest is None:
            raise NotActivated(f"{version} is not published in s3://{self.bucket}/{ROOT}/releases/")
        active, etag = self._pointer()
        if active and active.version == version:
            return active
        before = (active.version, active.digest) if active else (None, None)
        return self._point(Activation(version, digest, at, by, *before), etag)

    def roll_back(self, *, at: str, by: str) -> Activation:
        """Activate the release before the active one; a second rollback returns.

        Raises NotActivated, ActivatedMeanwhile.
        """
        active, etag = self._pointer()
        if active is None or active.previous_version is None or active.previous_digest is None:
            raise NotActivated("no release was active before this one: name one with --version")
        if self.digest(active.previous_version) != active.previous_digest:
            raise NotActivated(f"{active.previous_version} is not in the bucket as it was: name another with --version")
        previous = (active.previous_version, active.previous_digest)
        return self._point(Activation(*previous, at, by, active.version, active.digest), etag)

    def copy_for_mwaa(self, version: str) -> tuple[int, int]:
        """Make what MWAA reads the same as a release, the DAGs last; returns the numbers copied and removed.

        After an interruption the same call completes it.
        """
        prefix = _prefix(version)
        source = {
            key.removeprefix(prefix): etag for key, etag in self._listed(prefix).items() if not key.endswith(SUMS)
        }
        target = self._listed(_DAGS)
        for name in source:
            if not name.startswith(_DAGS):
                target.update(self._listed(name))
        changed = [name for name, etag in source.items() if target.get(name) != etag]
        for name in sorted(changed, key=lambda name: (name.startswith(_DAGS), name)):
            copied: CopySourceTypeDef = {"Bucket": self.bucket, "Key": prefix + name}
            self.s3.copy_object(Bucket=self.bucket, Key=name, CopySource=copied)
        gone = [name for name in target if name.startswith(_DAGS) and name not in source]
        for name in gone:
            self.s3.delete_object(Bucket=self.bucket, Key=name)
        return len(changed), len(gone)

    def pull(self, folder: Path) -> tuple[str, bool]:
        """Bring the active release to `folder/current`, a link that changes at once; returns its version, and whether
        it is new here. The previous release stays. Raises NotActivated, DamagedRelease.
        """
        active = self.active()
        if active is None:
            raise NotActivated(f"s3://{self.bucket}/{_POINTER} names no release: postrank deploy dags activates one")
        releases = folder / "releases"
        target = releases / active.version
        link = folder / "current"
        before = link.resolve().name if link.is_symlink() else None
        if before == active.version:
            return active.version, False
        if not target.is_dir():
            releases.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=releases) as place:
                self._download(active, Path(place, "release"))
                Path(place, "release").rename(target)
        following = folder / "next"
        following.unlink(missing_ok=True)
        following.symlink_to(Path("releases", active.version))
        following.rename(link)
        for old in releases.iterdir():
            if old.name not in (active.version, before):
                shutil.rmtree(old, ignore_errors=True)
        return active.version, True

    def _download(self, active: Activation, folder: Path) -> None:
        sums = self._get(f"{_prefix(active.version)}{SUMS}")
        if hashlib.sha256(sums).hexdigest() != active.digest:
            raise DamagedRelease(f"{active.version} is not the release that was activated: publish another version")
        for line in sums.decode().splitlines():
            digest, _, name = line.partition("  ")
            body = self._get(_prefix(active.version) + name)
            if hashlib.sha256(body).hexdigest() != digest or not _is_inside(name):
                raise DamagedRelease(f"{name} of {active.version} is not the file that was published")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        with zipfile.ZipFile(io.BytesIO((folder / PLUGINS).read_bytes())) as archive:
            archive.extractall(folder / "plugins")

    def _pointer(self) -> tuple[Activation | None, str | None]:
        try:
            response = self.s3.get_object(Bucket=self.bucket, Key=_POINTER)
        except self.s3.exceptions.NoSuchKey:
            return None, None
        try:
            return Activation(**json.loads(response["Body"].read())), response["ETag"]
        except (ValueError, TypeError) as error:
            raise NotActivated(f"s3://{self.bucket}/{_POINTER} is damaged: delete it, and activate again") from error

    def _point(self, activation: Activation, etag: str | None) -> Activation:
        condition: Condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(activation), indent=2).encode()
        try:
            self.s3.put_object(Bucket=self.bucket, Key=_POINTER, Body=body, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST:
                raise
            raise ActivatedMeanwhile(
                "another release was activated at the same time: look at it, and repeat"
            ) from error
        return activation

    def _listed(self, prefix: str) -> dict[str, str]:
        """The ETags of the objects below a prefix, by their keys."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {entry["Key"]: entry["ETag"] for page in pages for entry in page.get("Contents", ())}

    def _get(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


def _prefix(version: str) -> str:
    return f"{ROOT}/releases/{version}/"


def _is_inside(name: str) -> bool:
    return not Path(name).is_absolute() and ".." not in Path(name).parts
