"""A small JSON document on disk that several processes of one machine share and that no restart forgets."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import orjson

T = TypeVar("T")


@dataclass(slots=True)
class Kept(Generic[T]):
    """The document at `path`; `value` is what was last seen of it. Not for several threads at once."""

    path: Path
    value: T
    _seen: int = 0  # the file's time of change when it was last read

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.refresh()

    def refresh(self) -> T:
        """The document as it is now: another process may have changed it."""
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return self.value
        if changed != self._seen:
            self.value, self._seen = orjson.loads(self.path.read_bytes()), changed
        return self.value

    def change(self, changed: Callable[[T], T]) -> None:
        """Replace the document by what becomes of its newest form; durable, and all or nothing, before this returns."""
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
