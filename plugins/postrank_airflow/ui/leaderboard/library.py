"""The exports that the site shows, by the name of their run."""

from dataclasses import dataclass

from postrank.ranking.export_reader import Exports as Reader
from postrank.ranking.export_reader import NothingExported
from postrank.report.exports import Export, Exports

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Library:
    """Opens exports; keeps the tables used last."""

    exports: Exports

    @property
    def reader(self) -> Reader:
        return self.exports.results

    def open(self, run: str) -> Export:
        """The export of a run by its name in keys, or of the newest as `latest`. Raises NoSuchRun, NothingExported."""
        return self.exports.open(self.reader.checked(None if run == LATEST else run))

    def stored(self, run: str, name: str) -> bytes | None:
        """An object of a run's export by its name below the run's prefix; None where there is none."""
        try:
            return self.reader.body(f"{_prefix(run)}{name}")
        except NothingExported:
            return None

    def file(self, run: str, name: str) -> bytes | None:
        """A file that the run's manifest lists, or the manifest itself; None for anything else."""
        manifest = self.open(run).manifest
        listed = {str(file["key"]) for file in manifest["files"]}
        key = f"{_prefix(manifest['run'])}{name}"
        return self.stored(manifest["run"], name) if name == "manifest.json" or key in listed else None


def _prefix(run: str) -> str:
    return f"rankings/run={run}/"
