"""The daily care of the lake: what nobody reads any more, or its zone keeps no longer, is removed.

How long a zone is kept is written in `resources.json` (`retention_days`), which the buckets' lifecycle rules share.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from postrank.aws import prefixes
from postrank.aws.glue import Catalogue
from postrank.aws.prefixes import folder
from postrank.aws.resources import Resources
from postrank.aws.tables import prefix
from postrank.ranking.export_reader import NothingExported, Results
from postrank.ranking.run_identity import SCRATCH

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WRITTEN = ("post_versions", "author_minutes", "author_ranking_revisions", "touched_minutes", "hashtag_ranking")
POINTING = (*WRITTEN, "hashtag_debt")  # whose objects are those of `touched_minutes`
# How long what nobody points at may belong to a run that still writes, and a query's result be read. Two runs lie half
# a day apart: whatever may hold a post that was deleted meanwhile is gone within a day.
UNREFERENCED = timedelta(hours=12)
STAGED = timedelta(hours=6)  # the same for lines as they came; a run that needs them for longer fails, and is cleared


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """One run. `as_of` is when it began."""

    as_of: datetime
    resources: Resources
    catalogue: Catalogue
    s3: "S3Client"

    def sweep(self) -> int:
        """Delete objects of the lake that no partition points at, staged lines and results of queries, once they are
        old enough; and forget the tables of runs that never came to their end, so that nobody takes them for empty.
        """
        read = {folder(partition.location) for table in POINTING for partition in self.catalogue.partitions(table)}
        for table in self.catalogue.tables(SCRATCH, self.as_of - STAGED):
            self.catalogue.drop(table)
        ages = {
            **{prefix(table, self.resources): UNREFERENCED for table in WRITTEN},
            f"s3://{self.resources.buckets['query_results']}/": UNREFERENCED,
            f"s3://{self.resources.buckets['lake']}/staging/": STAGED,
        }
        return sum(self._older(root, age, read) for root, age in ages.items())

    def expire(self) -> dict[str, int]:
        """Delete what its zone keeps no longer. Returns how many objects, or partitions of `raw_posts`, by zone."""
        exports = f"s3://{self.resources.buckets['results']}/rankings/run="
        gone = self._older(exports, self._retention("exports"), self._newest_export())
        return {"exports": gone, "raw": self._forget_raw()}

    def _forget_raw(self) -> int:
        """Forget the arrival hours of `raw_posts` and `raw_author_windows` whose objects have expired."""
        before = (self.as_of - self._retention("raw") - timedelta(days=1)).date().isoformat()
        forgotten = 0
        for table in ("raw_posts", "raw_author_windows"):
            old = self.catalogue.partitions(table, f"dt < '{before}'")
            gone = [
                partition.values
                for partition in old
                if not prefixes.measure(self.s3, folder(partition.location)).objects
            ]
            self.catalogue.forget(table, gone)
            forgotten += len(gone)
        return forgotten

    def _newest_export(self) -> set[str]:
        """The folders of the export that `latest.json` points at: they are kept however old they are."""
        results = Results(self.s3, self.resources.buckets["results"])
        try:
            manifest = results.manifest()
        except NothingExported:
            return set()
        keys = [results.latest()["manifest"], *(file["key"] for file in manifest["files"])]
        return {f"s3://{results.bucket}/{key.rsplit('/', 1)[0]}/" for key in keys}

    def _older(self, root: str, age: timedelta, exceptions: Collection[str]) -> int:
        return prefixes.empty_unless(self.s3, root, exceptions, self.as_of - age)

    def _retention(self, zone: str) -> timedelta:
        return timedelta(days=self.resources.retention_days[zone])
