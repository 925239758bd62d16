"""What an engine of Athena is: the embedded one (DuckDB), or a Trino."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from localaws.core.cloud import Caller
from localaws.services.athena.results.outcome import Stop

if TYPE_CHECKING:
    from localaws.services.athena.execution.session import Session, Statement
    from localaws.services.athena.scan.storage import Place
    from localaws.services.athena.sql.failures import QueryFailed

ENGINES = ("duckdb", "trino")
PreparedLookup = Callable[[str], str]  # the text of a prepared statement


class Engine(Protocol):
    """Reads statements and runs them, several at once."""

    def start(self) -> None:
        """Begin what takes long; returns at once."""
        ...

    def read(self, sql: str, parameters: Sequence[str], prepared: PreparedLookup) -> "Statement":
        """Read a statement. Raises SyntaxRefused or QueryFailed for what Athena would not start."""
        ...

    def await_ready(self, stop: Stop) -> None:
        """Return when statements can run. Raises QueryFailed where they never can, QueryCancelled."""
        ...

    def session(
        self,
        key: str,
        caller: Caller,
        database: str | None,
        output: "Place",
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
