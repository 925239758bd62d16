"""The DuckDB database in which statements run: opened at the first one, bounded in memory, closed to the outside."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from localaws.core.cloud import Caller, Cloud
from localaws.services.athena.execution.session import Session
from localaws.services.athena.results.outcome import Stop
from localaws.services.athena.scan.catalogue import Catalogue
from localaws.services.athena.scan.storage import Place, Storage
from localaws.services.athena.sql.failures import QueryFailed, from_duckdb

_MEMORY = "900MB"  # Python and the readers' buffers come to that: docs/benchmarks.md has what the process holds
_SPILL = "10GB"  # on disk, for what does not fit


class EmbeddedEngine:
    """One database; each statement gets a cursor, with temporary views of its own.

    What does not fit into LOCALAWS_ATHENA_MEMORY (900MB) goes to files, of LOCALAWS_ATHENA_SPILL (10GB) at most; a
    statement that needs more fails as one that exhausts Athena's resources does.
    """

    def __init__(self, cloud: Cloud, scratch: Path) -> None:
        self._cloud = cloud
        self._scratch = scratch
        self._lock = threading.Lock()
        self._database: Any = None
        self._learned: set[str] = set()
        self._tries = False  # a statement with TRY was run

    def start(self) -> None:
        """It opens with the first statement."""

    def check_syntax(self, sql: str) -> None:
        """Statements are read by Athena's grammar in Python."""

    def await_ready(self, stop: Stop) -> None:
        """It always is."""

    @contextlib.contextmanager
    def session(
        self,
        key: str,
        caller: Caller,
        database: str | None,
        output: Place | None,
        scratch: Path,
        cutoff: int | None,
        stop: Stop,
    ) -> Iterator[Session]:
        """A session with a cursor of its own."""
        cursor = self.cursor()
        stop.cursor = cursor
        try:
            yield Session(
                id=key,
                database=database,
                catalogue=Catalogue(self._cloud, caller),
                storage=Storage(self._cloud, caller),
                engine=self,
                cursor=cursor,
                output=output,
                scratch=scratch,
                cutoff=cutoff,
                learn=self.learn,
            )
        finally:
            with contextlib.suppress(Exception):
                cursor.close()

    def failed(self, error: Exception, positions: Mapping[str, tuple[int, int]]) -> QueryFailed:
        """DuckDB's error as Athena says it."""
        return from_duckdb(error, positions)

    def cursor(self) -> Any:
        """A connection of its own to the database."""
        with self._lock:
            if self._database is None:
                self._database = self._open()
            cursor = self._database.cursor()
        cursor.execute("set TimeZone = 'UTC'")
        cursor.execute("set enable_progress_bar = false")  # it would go to the server's standard output
        return cursor

    def learn(self, sql: str) -> None:
        """Prepare for what a statement mentions and none before it did: Python functions, TRY."""
        from localaws.services.athena.sql.python import registry

        names = registry.mentioned(sql)
        with self._lock:
            registry.register(self._database, sorted(names - self._learned))
            self._learned |= names
            if "try(" in sql and not self._tries:
                # That optimizer would compute, before a TRY and unprotected, what stands twice within it.
                self._database.execute("set disabled_optimizers = 'common_subexpressions'")
                self._tries = True

    def _open(self) -> Any:
        import duckdb

        from localaws.services.athena.sql.macros import SCRIPT

        shutil.rmtree(self._scratch / "spill", ignore_errors=True)  # of a process that was killed
        self._scratch.mkdir(parents=True, exist_ok=True)
        database = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": os.environ.get("LOCALAWS_ATHENA_MEMORY", _MEMORY),
                "temp_directory": str(self._scratch / "spill"),
                "threads": str(os.cpu_count() or 1),
                "preserve_insertion_order": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        # Given to connect(), this limit is shown and not kept: only an open database takes it.
        database.execute("set max_temp_directory_size = $1", [os.environ.get("LOCALAWS_ATHENA_SPILL", _SPILL)])
        database.execute(SCRIPT)
        return database

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
                self._learned.clear()
                self._tries = False
