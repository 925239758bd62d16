"""Open handles of followed files, through which a file is read to its end whatever its name is by now."""

import os
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MOST = 64  # handles
_GRACE = 10.0  # seconds for which a program may go on writing into a file that was renamed


@dataclass(slots=True)
class Handle:
    """One file. `left_at`: when it was first seen without a name that is followed, on the monotonic clock."""

    path: Path
    file: BinaryIO
    identity: str  # "<device>:<inode>"
    left_at: float | None = None


class Handles:
    """Handles by the generation that their file holds; of too many, the oldest is closed."""

    def __init__(self) -> None:
        self._by_key: dict[str, Handle] = {}

    def __getitem__(self, key: str) -> Handle:
        return self._by_key[key]

    def keep(self, key: str, path: Path, file: BinaryIO) -> None:
        """Keep a file open that is about to be read."""
        status = os.fstat(file.fileno())
        identity = f"{status.st_dev}:{status.st_ino}"
        handle = self._by_key.get(key)
        if handle is not None and handle.identity == identity:
            handle.path = path
            return
        self.drop(key)
        self._by_key[key] = Handle(path, os.fdopen(os.dup(file.fileno()), "rb"), identity)
        while len(self._by_key) > _MOST:
            self.drop(next(iter(self._by_key)))

    def keys_without(self, present: Set[str]) -> list[str]:
        """The generations whose files have no name any more that is followed."""
        missing = []
        for key, handle in self._by_key.items():
            if handle.identity in present:
                handle.left_at = None
            else:
                missing.append(key)
        return missing

    def is_new(self, key: str) -> bool:
        """Whether a file is without a name for the first time."""
        handle = self._by_key[key]
        if handle.left_at is not None:
            return False
        handle.left_at = time.monotonic()
        return True

    def is_over(self, key: str) -> bool:
        """Whether a file was without a name for so long that it is not written any more."""
        left_at = self._by_key[key].left_at
        return left_at is not None and time.monotonic() - left_at > _GRACE

    def drop(self, key: str) -> None:
        """Close a handle."""
        handle = self._by_key.pop(key, None)
        if handle is not None:
            handle.file.close()

    def close(self) -> None:
        """Close all of them."""
        for key in list(self._by_key):
            self.drop(key)
