"""Files of entries, one a line (handles, keywords, ids), and noticing that one was written.

A `#` between blanks begins a comment; `#eclipse` and `c#` are entries.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

_COMMENT = re.compile(r"(?:^|\s)#(?:\s.*)?$")
Stamps: TypeAlias = Mapping[Path, tuple[int, int]]


def entries(path: Path) -> list[str]:
    """What a file lists. Raises OSError, UnicodeDecodeError."""
    lines = (_COMMENT.sub("", line).strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def unusable(path: Path) -> str:
    """Why a file cannot be taken over; "" if it can."""
    try:
        return "" if entries(path) else "holds nothing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return "is not UTF-8"


@dataclass(slots=True)
class Watch:
    """Looks at files now and then."""

    files: Sequence[Path]
    _taken: Stamps = field(default_factory=dict)  # of the files as they were taken over
    _seen: Stamps = field(default_factory=dict)  # at the last look

    def __post_init__(self) -> None:
        self._taken = self._seen = self._look()

    def changed(self) -> bool:
        """Whether the files are to be read again.

        That is, they changed since then, and not since the last look: nobody is writing them. Raises ValueError, once
        for each state of the files, for what cannot be taken over.
        """
        stamps = self._look()
        settled = stamps == self._seen
        self._seen = stamps
        if not settled or stamps == self._taken:
            return False
        self._taken = stamps
        for path in self.files:
            if why := unusable(path):
                raise ValueError(f"{path} {why}")
        return True

    def _look(self) -> Stamps:
        return {path: _stamp(path) for path in self.files}


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, -1  # it is not there
    return status.st_mtime_ns, status.st_size
