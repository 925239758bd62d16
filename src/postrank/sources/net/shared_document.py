"""A small JSON document on disk that several processes of one machine share and that no restart forgets."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import orjson

from postrank.errors import Fatal

T = TypeVar("T")


class KeptDamaged(Fatal):
    """What was to be remembered (posts paid for, calls made) cannot be read, and nobody else knows it."""

    def __init__(self, path: Path, how: str) -> None:
        super().__init__(f"{path} {how}: correct it, or remove it where what it counted may be forgotten")
        self.path = path


@dataclass(slots=True)
class SharedDocument(Generic[T]):
    """The document at `path`; `value` is what was last seen of it. Not for several threads at once."""

    path: Path
    value: T
    _seen: int = 0  # the file's time of change when it was last read

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> T:
        """The document as it is now: another process may have changed it. Raises KeptDamaged."""
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return self.value
        if changed != self._seen:
            self.value = self._read()
            self._seen = changed
        return self.value

    def _read(self) -> T:
        try:
            document: T = orjson.loads(self.path.read_bytes())
        except orjson.JSONDecodeError as error:
            raise KeptDamaged(self.path, "is damaged") from error
        if type(document) is not type(self.value):
            raise KeptDamaged(self.path, "holds something else")
        return document

    def change(self, changed: Callable[[T], T]) -> None:
        """Replace the document by what becomes of its newest form; durable, and all or nothing, before this returns.

        Raises KeptDamaged.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as others:
            fcntl.flock(others, fcntl.LOCK_EX)
            self.value = changed(self.refresh())
            temporary = self.path.with_suffix(".tmp")
            with temporary.open("wb") as file:
                file.write(orjson.dumps(self.value))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
            self._seen = self.path.stat().st_mtime_ns
