"""What a host keeps of published bundles: their files, which of them holds, and which was rejected.

config/state.json                 {"active", "previous", "trial", "starts", "rejected"}
config/<version>-<checksum>/...   the files of the active bundle and of the one before
"""

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from postrank.bundles.bundle import Bundle
from postrank.bundles.publications import Publication
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.streamer.host.folder_claim import usable

_STATE = "state.json"
_STARTS = 3  # of a streamer with a bundle on trial; one that dies so often is not healthy


class StoreDamaged(Fatal):
    """The host's own record of its bundles cannot be read."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A bundle."""

    version: int
    checksum: str

    @property
    def folder(self) -> str:
        return f"{self.version}-{self.checksum[:12]}"

    @property
    def text(self) -> str:
        return f"{self.version} ({self.checksum[:12]})"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A bundle that was not taken, or was rolled back, and why."""

    version: int
    checksum: str
    reason: str


@dataclass(slots=True)
class BundleStore:
    """The bundles of one streamer, in `config` below its state folder. One thread changes it at a time."""

    folder: Path
    active: Reference | None = None  # None: the host's own file
    previous: Reference | None = None
    trial: bool = False
    starts: int = 0  # of the streamer since the trial began
    rejected: Rejected | None = None
    _names: tuple[str, ...] = field(default=("active", "previous", "trial", "starts", "rejected"), repr=False)

    @classmethod
    def of(cls, state: Path) -> Self:
        """What is kept below a state folder; it may be nothing. Raises StoreDamaged, FolderUnusable."""
        store = cls(state / "config")
        try:
            document = json.loads((store.folder / _STATE).read_text(encoding="utf-8"))
            store.active = Reference(**document["active"]) if document["active"] else None
            store.previous = Reference(**document["previous"]) if document["previous"] else None
            store.trial = bool(document["trial"])
            store.starts = int(document["starts"])
            store.rejected = Rejected(**document["rejected"]) if document["rejected"] else None
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            usable("state", state)
            raise StoreDamaged(
                f"{store.folder / _STATE} cannot be read ({error}): remove {store.folder}, and the host begins again "
                "with its own file, then takes the published bundle"
            ) from error
        return store

    @property
    def active_folder(self) -> Path | None:
        """Where the files of the active bundle are."""
        return self.folder / self.active.folder if self.active else None

    def is_new(self, publication: Publication) -> bool:
        """Whether a publication is neither active nor rejected."""
        reference = (publication.version, publication.checksum)
        others = [other for other in (self.active, self.rejected) if other is not None]
        return all((other.version, other.checksum) != reference for other in others)

    def unpack(self, publication: Publication, bundle: Bundle) -> Path:
        """Write the files of a bundle beside the others; returns their folder. Raises OSError."""
        reference = Reference(publication.version, publication.checksum)
        target = self.folder / reference.folder
        unfinished = self.folder / f"{reference.folder}.unfinished"
        for path in (target, unfinished):
            shutil.rmtree(path, ignore_errors=True)
        bundle.write(unfinished)
        unfinished.rename(target)
        return target

    def begin_trial(self, publication: Publication) -> None:
        """Make an unpacked bundle the active one, on trial."""
        if not self.trial:  # of two bundles on trial in a row, neither is what to go back to
            self.previous = self.active
        self.active = Reference(publication.version, publication.checksum)
        self.trial = True
        self.starts = 0
        self.save()

    def note_start(self) -> bool:
        """Note a start of the streamer; whether a bundle on trial has had too many of them."""
        if not self.trial:
            return False
        self.starts += 1
        self.save()
        return self.starts > _STARTS

    def keep(self) -> None:
        """The active bundle is healthy."""
        self.trial = False
        self.starts = 0
        if self.rejected and self.active and self.active.version > self.rejected.version:
            self.rejected = None
        self.save()

    def roll_back(self, reason: str) -> None:
        """Return to the bundle before, or to the host's own file."""
        if self.active is not None:
            self.rejected = Rejected(self.active.version, self.active.checksum, reason)
        self.active = self.previous
        self.previous = None
        self.keep()

    def reject(self, publication: Publication, reason: str) -> None:
        """Note why a bundle was not taken."""
        self.rejected = Rejected(publication.version, publication.checksum, reason)
        self.save()

    def save(self) -> None:
        """Write the state, whole or not at all, and drop files that nothing leads to. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        document = {name: value for name, value in asdict(self).items() if name in self._names}
        unfinished = self.folder / f"{_STATE}.unfinished"
        unfinished.write_text(json.dumps(document), encoding="utf-8")
        unfinished.replace(self.folder / _STATE)
        current = {reference.folder for reference in (self.active, self.previous) if reference is not None}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in current:
                shutil.rmtree(path, ignore_errors=True)

    def report(self) -> Document | None:
        """The heartbeat's `configuration`; None where no bundle was ever published."""
        active, rejected = self.active, self.rejected
        if active is None and rejected is None:
            return None
        return {
            "version": active.version if active else None,
            "checksum": active.checksum if active else None,
            "phase": "trial" if self.trial else "applied",
            "rejected": asdict(rejected) if rejected else None,
        }
