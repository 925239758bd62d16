"""What an engine of Athena is: the embedded one (DuckDB), or a Trino."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from localaws.core.cloud import Caller
from localaws.services.athena.results.outcome import Stop

if TYPE_CHECKING:
    from localaws.services.athena.execution.session import Session
    from localaws.services.athena.scan.storage import Place
    from localaws.services.athena.sql.failures import QueryFailed

ENGINES = ("duckdb", "trino")


class Engine(Protocol):
    """Runs statements, several at once."""

    def start(self) -> None:
        """Begin what takes long; returns at once."""
        ...

    def check_syntax(self, sql: str) -> None:
        """Have the engine's own parser read a statement. Raises SyntaxRefused, QueryFailed."""
        ...

    def await_ready(self, stop: Stop) -> None:
        """Return when statements can run. Raises QueryFailed where they never can, QueryCancelled."""
        ...

    def session(
        self,
        key: str,
        caller: Caller,
        database: str | None,
        output: "Place | None",
        scratch: Path,
        cutoff: int | None,
        stop: Stop,
    ) -> "AbstractContextManager[Session]":
        """The surroundings of one statement (`key` is its execution id), which `stop` ends from another thread."""
        ...

    def failed(self, error: Exception, positions: Mapping[str, tuple[int, int]]) -> "QueryFailed":
        """An unexpected error as the caller sees it; `positions` are line and column of the statement's names."""
        ...

    def close(self) -> None: ...
