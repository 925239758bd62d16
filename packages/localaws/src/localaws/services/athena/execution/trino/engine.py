"""Trino as an engine: started in the background, shared by all workgroups, restarted when it ends."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from localaws.core.cloud import REGION, Caller, Cloud
from localaws.services.athena.execution.session import Session
from localaws.services.athena.execution.trino import configuration
from localaws.services.athena.execution.trino.artifacts import CannotInstall
from localaws.services.athena.execution.trino.callbacks import Callbacks
from localaws.services.athena.execution.trino.decisions import Decisions
from localaws.services.athena.execution.trino.delegation import Delegations, Keys
from localaws.services.athena.execution.trino.installation import install
from localaws.services.athena.execution.trino.metastore import Metastore
from localaws.services.athena.execution.trino.protocol import Connection, TrinoFailed, TrinoGone
from localaws.services.athena.execution.trino.server import TrinoServer, TrinoStopped, free_port
from localaws.services.athena.execution.trino.session import TrinoSession
from localaws.services.athena.results.outcome import Stop
from localaws.services.athena.scan.catalogue import Catalogue
from localaws.services.athena.scan.storage import Place, Storage
from localaws.services.athena.sql.failures import SYSTEM, QueryCancelled, QueryFailed, SyntaxRefused

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.1
_CHECKING = "localaws-syntax"  # the user of statements that are only parsed


class TrinoEngine:
    """Runs statements on a Trino of its own."""

    def __init__(self, cloud: Cloud, scratch: Path) -> None:
        self._cloud = cloud
        self._folder = scratch.parent / "trino"
        self._delegations = Delegations(cloud, self._publish)
        self._callbacks: Callbacks | None = None
        self._settings: configuration.Settings | None = None
        self._server: TrinoServer | None = None
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._failure = "the server is being stopped"  # or why Trino does not start
        self._starting: threading.Thread | None = None

    def start(self) -> None:
        """Start Trino in the background; statements wait for it."""
        with self._changed:
            if self._stopping.is_set() or (self._starting is not None and self._starting.is_alive()):
                return
            self._starting = threading.Thread(target=self._start, name="trino-start", daemon=True)
            self._starting.start()

    def await_ready(self, stop: Stop) -> None:
        """Return when Trino takes statements. Raises QueryFailed, QueryCancelled."""
        is_started = False
        while True:
            server = self._server
            is_running = server is not None and server.is_running()
            # A process that was killed may still be ending: it counts as running, and answers nobody.
            if server is not None and is_running and server.answers():
                return
            with self._changed:
                if not is_running:
                    if self._starting is None or not self._starting.is_alive():
                        if is_started or self._stopping.is_set():
                            raise QueryFailed("ENGINE_NOT_AVAILABLE", self._failure, category=SYSTEM)
                        self.start()
                    is_started = True
                self._changed.wait(_LOOK_SECONDS)
            if stop.requested.is_set():
                raise QueryCancelled("Query was cancelled by user")

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
        """A session in which one statement runs as its caller."""
        with self._delegations.of(key, caller) as delegation:
            connection = self._connection(key, database)
            stop.cursor = connection
            try:
                yield TrinoSession(
                    id=key,
                    database=database,
                    catalogue=Catalogue(self._cloud, caller),
                    storage=Storage(self._cloud, caller),
                    engine=self,
                    cursor=connection,
                    output=output,
                    scratch=scratch,
                    cutoff=cutoff,
                    delegation=delegation,
                )
            finally:
                connection.close()

    def failed(self, error: Exception, _positions: Mapping[str, tuple[int, int]]) -> QueryFailed:
        """What an unexpected error of the engine is to the caller."""
        if isinstance(error, TrinoGone):
            return QueryFailed("GENERIC_INTERNAL_ERROR", str(error), category=SYSTEM, retryable=True)
        log.error("a statement failed in the engine", exc_info=error)
        return QueryFailed("GENERIC_INTERNAL_ERROR", str(error), category=SYSTEM)

    def check_syntax(self, sql: str) -> None:
        """Have Trino parse a statement. Raises SyntaxRefused, QueryFailed."""
        self.await_ready(Stop())
        connection = self._connection(_CHECKING, None)
        try:
            for _ in connection.execute(f"PREPARE statement FROM\n{sql}"):
                pass
        except TrinoFailed as error:
            raise syntax_refusal(error) from error
        finally:
            connection.close()

    def close(self) -> None:
        self._stopping.set()
        if self._starting is not None:
            self._starting.join()
        if self._server is not None:
            self._server.stop()
        if self._callbacks is not None:
            self._callbacks.close()

    def _connection(self, user: str, database: str | None) -> Connection:
        settings = self._settings
        if settings is None:
            raise TrinoGone("Trino is not running")
        schema = database.lower() if database else None
        return Connection(settings.port, settings.token_key, user, catalog=configuration.HIVE, schema=schema)

    def _publish(self, keys: Keys) -> None:
        if self._settings is not None:
            configuration.write_mappings(self._settings, keys)

    def _start(self) -> None:
        started = time.monotonic()
        try:
            server = self._started()
        except (CannotInstall, TrinoStopped, OSError) as error:
            with self._changed:
                self._failure = f"the Trino engine cannot be started: {error}"
                self._changed.notify_all()
            if not self._stopping.is_set():
                log.error("%s", self._failure)
            return
        with self._changed:
            self._server = server
            self._changed.notify_all()
        log.info("Trino is ready after %.1f s", time.monotonic() - started)

    def _started(self) -> TrinoServer:
        """Install what is missing, start the process, wait until it is ready."""
        installation = install(self._stopping)
        if self._server is not None:
            self._server.stop()
        if self._callbacks is None:
            decisions = Decisions(self._cloud, self._delegations)
            self._callbacks = Callbacks(decisions, Metastore(self._cloud, self._delegations))
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = configuration.Settings(
            folder=self._folder,
            port=free_port(),
            plugins=installation.plugins,
            callbacks=self._callbacks.url,
            s3=self._cloud.endpoint,
            region=REGION,
        )
        configuration.write(settings)
        self._settings = settings
        server = TrinoServer(installation, settings.etc, settings.port, self._folder / "server.log")
        try:
            server.await_ready(self._stopping)
        except TrinoStopped:
            server.stop()
            raise
        return server


def syntax_refusal(error: TrinoFailed) -> Exception:
    """A parser's error as SyntaxRefused, at the place in the statement (the query begins on the second line)."""
    import re

    match = re.match(r"line (\d+):(\d+): (.*)", str(error), re.DOTALL)
    if error.name != "SYNTAX_ERROR" or match is None:
        return QueryFailed(error.name, str(error))
    return SyntaxRefused(int(match[1]) - 1, int(match[2]), match[3])
