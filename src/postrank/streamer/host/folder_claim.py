"""A folder's claim: a lock that one process holds, and that ends with it, however it ends (flock(2))."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from postrank.errors import Fatal


class StateTaken(Fatal):
    """Another streamer uses the state folder."""

    def __init__(self, folder: Path, holder: str) -> None:
        who = f"process {holder}" if holder.isdecimal() else "another process"
        super().__init__(f"{who} streams with the state in {folder}: stop it, or name another folder as state")


class FolderUnusable(Fatal):
    """A folder of the configuration cannot be made or written."""


def usable(key: str, folder: Path) -> None:
    """Make the folder that a key of the configuration names, and try to write there. Raises FolderUnusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        why = f"{key} = {str(folder)!r} cannot be used ({error.strerror}): name a folder that this user may write"
        raise FolderUnusable(why) from error


@dataclass(slots=True)
class Claim:
    """Two streamers that shared a cursor and a spool would lose what the other has."""

    _file: FileIO

    @classmethod
    def of(cls, folder: Path) -> "Claim":
        """Claim a folder, which is made if need be. Raises StateTaken, FolderUnusable."""
        usable("state", folder)
        file = (folder / "streamer.lock").open("a+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            with file:
                raise StateTaken(folder, file.read(20).decode(errors="replace")) from error
        with suppress(OSError):  # a full disk: the lock holds all the same
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        return cls(file)

    def release(self) -> None:
        """Let others have it."""
        self._file.close()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process does the same in a folder."""
    with (folder / ".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
