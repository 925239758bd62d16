"""One execution from QUEUED to its end: runs the statement, writes the results, says why it failed."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from localaws.core.cloud import Caller
from localaws.services.athena.execution.engine import Engine
from localaws.services.athena.execution.execution import Execution
from localaws.services.athena.execution.session import Statement
from localaws.services.athena.results import result_files
from localaws.services.athena.results.outcome import Column, Outcome, Stop
from localaws.services.athena.results.result_store import BucketResults, ManagedResults, ResultStore
from localaws.services.athena.scan.storage import place
from localaws.services.athena.sql.failures import SYSTEM, QueryCancelled, QueryFailed

Keep = Callable[[Execution], None]
# What GetQueryResults describes of a statement that writes.
_WRITTEN = Column("rows", "bigint", 19)
_CHANGES = ("INSERT", "MERGE", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is needed to run one execution."""

    engine: Engine
    scratch: Path
    managed: Path  # folder of managed results
    caller: Caller
    statement: Statement
    record: Execution  # `keep` writes it
    keep: Keep
    stop: Stop
    cutoff: int | None
    positions: dict[str, tuple[int, int]]

    def __call__(self) -> None:
        """Run to the end; never raises."""
        record = self.record
        if self.stop.requested.is_set():
            self._end("CANCELLED", reason="Query was cancelled by user")
            return
        folder = self.scratch / record.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.engine.await_ready(self.stop)
            record.started = time.time()
            record.state = "RUNNING"
            self.keep(record)
            self._run(folder)
        except QueryCancelled as error:
            self._end("CANCELLED", reason=error.reason)
        except QueryFailed as error:
            self._failed(error)
        except Exception as error:
            self._failed(self.engine.failed(error, self.positions))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, folder: Path) -> None:
        record = self.record
        caller = replace(self.caller, source="athena")
        output = place(record.folder).folder() if record.managed is None else None
        with self.engine.session(record.id, caller, record.database, output, folder, self.cutoff, self.stop) as session:
            try:
                if self.stop.requested.is_set():
                    raise QueryCancelled("Query was cancelled by user")
                outcome = self.statement.run(session)
                results = BucketResults(session.storage) if record.managed is None else ManagedResults(self.managed)
                self._write(results, outcome, folder)
            finally:
                record.scanned = session.scanned
        self._end("SUCCEEDED")

    def _write(self, results: ResultStore, outcome: Outcome, folder: Path) -> None:
        """Result and metadata files, and the manifest of what was written."""
        record = self.record
        if outcome.manifest is not None:
            listing = folder / "manifest"
            listing.write_text("".join(f"{address}\n" for address in outcome.manifest))
            record.manifest = f"{record.folder}{record.id}-manifest.csv"
            results.put(record.manifest, listing)
        rows = folder / "rows"
        changes = record.substatement in _CHANGES
        without_rows = self.statement.kind == "DML" and outcome.manifest is None and not outcome.columns
        if changes or without_rows:
            rows.touch()  # clients look for the object that the output location names
        elif outcome.manifest is None:
            result_files.write(outcome, rows, text=self.statement.kind != "DML")
        if rows.exists():
            results.put(record.output, rows)
        side = folder / "metadata"
        columns = [_WRITTEN] if changes or outcome.manifest is not None else outcome.columns
        side.write_bytes(result_files.metadata(columns, outcome.update_count))
        results.put(record.metadata, side)

    def _failed(self, error: QueryFailed) -> None:
        if self.stop.requested.is_set():
            self._end("CANCELLED", reason="Query was cancelled by user")
            return
        self.record.error = {
            "ErrorCategory": error.category,
            "ErrorType": error.type,
            "Retryable": error.retryable or error.category == SYSTEM,
            "ErrorMessage": str(error),
        }
        self._end("FAILED", reason=str(error))

    def _end(self, state: str, reason: str | None = None) -> None:
        self.record.end(state, time.time(), reason)
        self.keep(self.record)
