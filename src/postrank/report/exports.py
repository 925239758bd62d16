"""Exports, read for showing: a run's manifest, and its rankings as tables that are kept while they are looked at."""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import pyarrow as pa
from pyarrow import parquet

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.ranking import export_reader
from postrank.ranking.export_reader import NothingExported

LEDGERS = "ledgers.json"  # in a run's export; {"gaps": [...], "hop_counts": [...]}
# In a run's export, by the statements of include/sql/exports: {"hashtags": [...], "days": [...]} of hashtags and
# hashtag_days, {"types": [...], "authors": [...]} of posts_by_type and author_lengths.
HASHTAGS = "hashtags.json"
POSTS = "posts.json"
REQUESTS = "requests.json"  # {"busiest": [...]} of busiest
REPORT = "report.html"  # in a run's export
DOCUMENTS = "documents.json"  # in a run's export; what is named above, as the manifest lists its files
FINEST_FIRST = ("minute", "hour", "day", "all")


class NotExported(Fatal):
    """A run that exported something did not export this."""

    def __init__(self, run: str, what: str) -> None:
        super().__init__(f"run {run} exported no {what}")
        self.run = run
        self.what = what


@dataclass(frozen=True, slots=True)
class Export:
    """One run's export; `manifest` as the data contract describes it."""

    manifest: Document

    @property
    def run(self) -> str:
        return str(self.manifest["run"])

    @property
    def granularities(self) -> list[str]:
        """The granularities that hold at least one row, finest first."""
        filled = {file["granularity"] for file in self.manifest["files"] if file["rows"]}
        return [file for file in FINEST_FIRST if file in filled]

    def file(self, granularity: str) -> Document:
        """What the manifest says of a granularity's Parquet file. Raises NotExported."""
        for entry in self.manifest["files"]:
            if entry["granularity"] == granularity and entry["format"] == "parquet":
                file: Document = entry
                return file
        raise NotExported(self.run, f"ranking per {granularity}")


@dataclass(slots=True)
class Exports:
    """The exports of a results bucket or of a copy of it.

    Keeps the `keep` tables used last, by digest: a rewritten file is read anew.
    """

    results: export_reader.Exports
    keep: int = 6
    _tables: "OrderedDict[str, pa.Table]" = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self, run: str | None = None) -> Export:
        """The export of a run (its name in keys), of the newest unless named. Raises NothingExported."""
        return Export(self.results.manifest(run))

    def ledgers(self, export: Export) -> Document | None:
        """The run's part of the ledgers: `gaps` and `hop_counts`; None where it was not exported."""
        return self._document(export, LEDGERS)

    def hashtags(self, export: Export) -> Document | None:
        """The hashtags of the run's interval, as a whole and by day; None where they were not exported."""
        return self._document(export, HASHTAGS)

    def posts(self, export: Export) -> Document | None:
        """The interval's posts by day and type, and how long authors' texts are; None where it was not exported."""
        return self._document(export, POSTS)

    def requests(self, export: Export) -> Document | None:
        """The hosts and paths of the interval's access logs; None where no log had arrived."""
        return self._document(export, REQUESTS)

    def _document(self, export: Export, name: str) -> Document | None:
        try:
            document: Document = json.loads(self.results.body(f"rankings/run={export.run}/{name}"))
        except NothingExported:
            return None
        return document

    def table(self, export: Export, granularity: str) -> pa.Table:
        """The ranked authors of a granularity, by window and rank; times are UTC. Raises NotExported."""
        file = export.file(granularity)
        with self._lock:
            if file["sha256"] in self._tables:
                self._tables.move_to_end(file["sha256"])
                return self._tables[file["sha256"]]
        table = parquet.read_table(pa.BufferReader(self.results.body(file["key"])))
        with self._lock:
            self._tables[file["sha256"]] = table
            while len(self._tables) > self.keep:
                self._tables.popitem(last=False)
        return table
