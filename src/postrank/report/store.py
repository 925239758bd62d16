"""Where a run's report is kept: beside the export that it was made from."""

from dataclasses import dataclass

from postrank.report.exports import Exports
from postrank.report.page import report_html
from postrank.results.reader import NothingExported, Results


@dataclass(frozen=True, slots=True)
class Report:
    """The report of one run (its name in keys)."""

    results: Results
    run: str

    @property
    def key(self) -> str:
        return f"rankings/run={self.run}/report.html"

    def read(self) -> bytes | None:
        """The stored report; None where none was made."""
        try:
            return self.results.body(self.key)
        except NothingExported:
            return None

    def make(self) -> bytes:
        """The report, made anew from the run's export. Raises NothingExported."""
        exports = Exports(self.results)
        return report_html(exports, exports.open(self.run)).encode()

    def store(self) -> str:
        """Make the report and put it beside the export; returns where."""
        body = self.make()
        kind = "text/html; charset=utf-8"
        self.results.s3.put_object(Bucket=self.results.bucket, Key=self.key, Body=body, ContentType=kind)
        return f"s3://{self.results.bucket}/{self.key}"
