"""Objects by their s3:// address, read as files and written whole, each access authorised as the query's caller."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from localaws.core.cloud import AwsError, Caller, Cloud, ObjectInfo
from localaws.services.athena.sql.failures import QueryFailed


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and the key, or key prefix, in it."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def folder(self) -> "Place":
        """The same prefix, ending in a slash unless it is the bucket itself."""
        return Place(self.bucket, self.key if not self.key or self.key.endswith("/") else self.key + "/")

    def below(self, name: str) -> "Place":
        return Place(self.bucket, self.folder().key + name)


def place(uri: str) -> Place:
    """Read s3://bucket/key (s3a and s3n too, as Hive does). Raises QueryFailed for anything else."""
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme not in ("s3", "s3a", "s3n") or not parts.netloc:
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"Not an S3 location: {uri}")
    key = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.netloc, key)


class Storage:
    """The object store as one caller may use it."""

    def __init__(self, cloud: Cloud, caller: Caller) -> None:
        self._cloud = cloud
        self._caller = caller

    def data_files(self, folder: Place) -> Iterator[ObjectInfo]:
        """Objects that a table at `folder` consists of; names that begin with _ or . are hidden, as in Hive."""
        folder = folder.folder()
        self._allow("s3:ListBucket", f"arn:aws:s3:::{folder.bucket}")
        try:
            for item in self._cloud.objects.list(folder.bucket, folder.key):
                names = item.key[len(folder.key) :].split("/")
                if item.size and not any(name.startswith(("_", ".")) for name in names):
                    self._allow("s3:GetObject", f"arn:aws:s3:::{folder.bucket}/{item.key}")
                    yield item
        except AwsError as error:
            raise self._refused(error, folder) from error

    def is_empty(self, folder: Place) -> bool:
        folder = folder.folder()
        self._allow("s3:ListBucket", f"arn:aws:s3:::{folder.bucket}")
        try:
            return next(iter(self._cloud.objects.list(folder.bucket, folder.key)), None) is None
        except AwsError as error:
            raise self._refused(error, folder) from error

    def folders(self, folder: Place) -> list[str]:
        """Names of all folders that hold objects below `folder`, relative to it."""
        folder = folder.folder()
        self._allow("s3:ListBucket", f"arn:aws:s3:::{folder.bucket}")
        return sorted(
            {
                item.key[len(folder.key) :].rpartition("/")[0]
                for item in self._cloud.objects.list(folder.bucket, folder.key)
                if "/" in item.key[len(folder.key) :]
            }
        )

    def get(self, target: Place) -> ObjectInfo | None:
        self._allow("s3:GetObject", f"arn:aws:s3:::{target.bucket}/{target.key}")
        with contextlib.suppress(AwsError):
            return self._cloud.objects.head(target.bucket, target.key)
        return None

    def put(self, target: Place, source: Path) -> ObjectInfo:
        """Move a finished file in as an object."""
        self._allow("s3:PutObject", f"arn:aws:s3:::{target.bucket}/{target.key}")
        try:
            return self._cloud.objects.put_file(target.bucket, target.key, source)
        except AwsError as error:
            raise self._refused(error, target) from error

    def _allow(self, action: str, arn: str) -> None:
        try:
            self._cloud.authorize(self._caller, action, arn)
        except AwsError as error:
            raise QueryFailed(
                "PERMISSION_DENIED",
                f"Access denied on {action} of {arn} (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
            ) from error

    def _refused(self, error: AwsError, target: Place) -> QueryFailed:
        if error.code == "NoSuchBucket":
            return QueryFailed("HIVE_METASTORE_ERROR", f"The specified bucket does not exist (Bucket: {target.bucket})")
        return QueryFailed("HIVE_METASTORE_ERROR", f"{error.code} on {target.uri}: {error.message}")
