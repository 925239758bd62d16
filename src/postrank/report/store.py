"""Where a run's report is kept: beside the export that it was made from."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from postrank.documents import Document
from postrank.ranking import export_reader
from postrank.ranking.export_reader import NothingExported, Results
from postrank.report.exports import DOCUMENTS, HASHTAGS, LEDGERS, POSTS, REPORT, REQUESTS, Exports
from postrank.report.page import report_html


def report_of(results: export_reader.Exports, run: str) -> bytes:
    """The report of a run, made from its export. Raises NothingExported."""
    exports = Exports(results)
    return report_html(exports, exports.open(run)).encode()


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one run (its name in keys)."""

    results: Results
    run: str

    @property
    def key(self) -> str:
        return f"rankings/run={self.run}/{REPORT}"

    def read(self) -> bytes | None:
        """The stored report; None where none was made."""
        try:
            return self.results.body(self.key)
        except NothingExported:
            return None

    def make(self) -> bytes:
        """The report, made anew from the run's export. Raises NothingExported."""
        return report_of(self.results, self.run)

    def store(self) -> str:
        """Make the report, put it and a list of what lies beside it into the export; returns where the report is.

        The manifest was complete before the export was pointed at, and stays as it was.
        """
        self._put(self.key, self.make(), "text/html; charset=utf-8")
        body = json.dumps({"run": self.run, "documents": list(self._documents())}, indent=2) + "\n"
        self._put(f"rankings/run={self.run}/{DOCUMENTS}", body.encode(), "application/json")
        return f"s3://{self.results.bucket}/{self.key}"

    def _documents(self) -> Iterator[Document]:
        """What lies beside the ranking's files, as the manifest lists those: it has no rows and no granularity."""
        for name in (REPORT, HASHTAGS, POSTS, REQUESTS, LEDGERS):
            key = f"rankings/run={self.run}/{name}"
            try:
                body = self.results.body(key)
            except NothingExported:
                continue
            yield {"key": key, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}

    def _put(self, key: str, body: bytes, kind: str) -> None:
        self.results.s3.put_object(Bucket=self.results.bucket, Key=key, Body=body, ContentType=kind)
