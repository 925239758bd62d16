"""The accounts that a Jetstream is asked for: those of the configuration, and those of a file that may change."""

import logging
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from postrank.options import Options
from postrank.sources.bluesky.wire import MOST_DIDS
from postrank.sources.files.value_lists import Watch, entries, unusable

log = logging.getLogger(__name__)
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+")
_LOOK_SECONDS = 2.0


@dataclass(slots=True)
class Followed:
    """DIDs; none at all means everyone."""

    configured: tuple[str, ...] = ()
    file: Path | None = None
    _watch: Watch | None = None
    _look_due: float = field(default=0.0)

    @classmethod
    def build(cls, options: Options) -> "Followed":
        """`dids` and `dids_file`; what is wrong with them is noted in the options."""
        configured = tuple(dict.fromkeys(options.texts("dids", [])))
        if wrong := [did for did in configured if not _DID.fullmatch(did)]:
            options.wrong("dids", f"holds {wrong[0]!r}, which is no DID")
        path = options.path("dids_file") if options.optional("dids_file") else None
        if path is not None:
            if why := unusable(path):
                options.wrong("dids_file", f"names {path}, which {why}")
                path = None
            elif wrong := [entry for entry in entries(path) if not _DID.fullmatch(entry)]:
                options.wrong("dids_file", f"holds {wrong[0]!r}, which is no DID")
        followed = cls(configured, path, Watch([path]) if path else None)
        if len(followed.dids()) > MOST_DIDS:
            options.wrong("dids", f"and dids_file name {len(followed.dids())} accounts; a server takes {MOST_DIDS}")
        return followed

    def dids(self) -> tuple[str, ...]:
        """The accounts by now; a line that is no DID is left out."""
        listed = entries(self.file) if self.file else []
        return tuple(dict.fromkeys((*self.configured, *filter(_DID.fullmatch, listed))))

    def changed(self) -> bool:
        """Whether the file was written since; one that cannot be used is logged, and the accounts stay as they are."""
        if self._watch is None or time.monotonic() < self._look_due:
            return False
        self._look_due = time.monotonic() + _LOOK_SECONDS
        try:
            return self._watch.changed()
        except (OSError, ValueError) as error:
            log.warning("accounts not read again", extra={"fields": {"why": str(error)}})
            return False
