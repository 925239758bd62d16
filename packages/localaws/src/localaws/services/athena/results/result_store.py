"""Where the result files of an execution are: objects of a bucket, or files that Athena manages itself.

"Managed query results": a workgroup may leave results to Athena. They have no address, only GetQueryResults reads them,
and they are kept for 24 hours.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localaws.services.athena.scan.storage import Storage, place

_KEPT_SECONDS = 24 * 60 * 60


class ResultStore(Protocol):
    """Result files by name. Raises QueryFailed where the caller may not reach them."""

    def put(self, name: str, source: Path) -> None:
        """Move a finished file in."""
        ...

    def get(self, name: str) -> Path | None:
        """The file, unless there is none (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class BucketResults:
    """Results in S3, as one caller may use it; a name is an s3:// address."""

    storage: Storage

    def put(self, name: str, source: Path) -> None:
        self.storage.put(place(name), source)

    def get(self, name: str) -> Path | None:
        item = self.storage.get(place(name))
        return None if item is None else item.path


@dataclass(frozen=True, slots=True)
class ManagedResults:
    """Results in a folder of the server's state; a name is that of a file in it."""

    folder: Path

    def put(self, name: str, source: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        source.replace(self.folder / name)
        for file in self.folder.iterdir():
            if _is_expired(file):
                file.unlink(missing_ok=True)

    def get(self, name: str) -> Path | None:
        file = self.folder / name
        return None if _is_expired(file) else file


def _is_expired(file: Path) -> bool:
    try:
        return file.stat().st_mtime < time.time() - _KEPT_SECONDS
    except FileNotFoundError:
        return True
