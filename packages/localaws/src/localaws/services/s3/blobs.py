"""The bytes of objects: one file each, written whole before anything names it, and never changed after."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localaws.services.s3 import checksums

# A reader that has been given a path (a query, a crawl) may open it a while after its object was replaced.
GRACE_SECONDS = 300.0
_SUFFIX = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One finished file: its name in the store, and what its bytes come to."""

    file: str
    size: int
    md5: str
    checksums: dict[str, str] = field(default_factory=dict)


class Files:
    """A folder of files with names of its own choosing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, file: str) -> Path:
        return self._folder / file

    def write(self, blocks: Iterable[bytes], *, like: str, algorithms: Sequence[str] = ()) -> Written:
        """Write a file; its name ends as `like` does, since readers look at endings."""
        file = self._name(like)
        md5 = hashlib.md5(usedforsecurity=False)
        sums = {algorithm: checksums.new(algorithm) for algorithm in algorithms}
        size = 0
        try:
            with self.path(file).open("wb") as out:
                for block in blocks:
                    md5.update(block)
                    for digest in sums.values():
                        digest.update(block)
                    size += out.write(block)
        except BaseException:
            self.remove(file)
            raise
        shown = {name: checksums.shown(digest) for name, digest in sums.items()}
        return Written(file=file, size=size, md5=md5.hexdigest(), checksums=shown)

    def adopt(self, source: Path, *, like: str) -> Written:
        """Move a finished file in."""
        md5 = hashlib.md5(usedforsecurity=False)
        crc = checksums.new("CRC32")
        with source.open("rb") as content:
            while block := content.read(1 << 20):
                md5.update(block)
                crc.update(block)
        file = self._name(like)
        size = source.stat().st_size
        try:
            source.rename(self.path(file))
        except OSError:  # from another file system
            with source.open("rb") as content:
                written = self.write(iter(lambda: content.read(1 << 20), b""), like=like, algorithms=("CRC32",))
            source.unlink()
            return written
        return Written(file=file, size=size, md5=md5.hexdigest(), checksums={"CRC32": checksums.shown(crc)})

    def remove(self, file: str) -> None:
        self.path(file).unlink(missing_ok=True)

    def _name(self, like: str) -> str:
        name = uuid.uuid4().hex
        suffix = _SUFFIX.search(like)
        (self._folder / name[:2]).mkdir(exist_ok=True)
        return f"{name[:2]}/{name}{suffix[0] if suffix else ''}"
