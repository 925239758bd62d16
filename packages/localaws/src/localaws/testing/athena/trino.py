"""A real Trino, the release that `localaws serve --athena trino` runs, which answers statements without tables."""

import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from localaws.services.athena.execution.trino.artifacts import CannotInstall
from localaws.services.athena.execution.trino.cells import spellings
from localaws.services.athena.execution.trino.installation import install
from localaws.services.athena.execution.trino.protocol import Connection, TrinoFailed
from localaws.services.athena.execution.trino.server import TrinoServer, TrinoStopped, free_port

_AT_ONCE = 3
Cell = str | None
Answer = list[list[Cell]] | str  # rows, or the error's name and message


class NoTrino(Exception):
    """Why there is no Trino here."""


class Trino:
    """A running Trino."""

    def __init__(self, port: int) -> None:
        self._port = port

    def answer(self, statement: str) -> Answer:
        """The rows of a statement, or Trino's error."""
        connection = Connection(self._port, b"", "tests", catalog="system", schema=None)
        rows: list[list[Cell]] = []
        try:
            for page in connection.execute(statement):
                spelling = spellings(connection.answer.columns)
                rows += [
                    [None if cell is None else spell(cell) for spell, cell in zip(spelling, row, strict=True)]
                    for row in page
                ]
        except TrinoFailed as error:
            return f"{error.name}: {error}"
        finally:
            connection.close()
        return rows

    def answers(self, statements: Sequence[str]) -> list[Answer]:
        """What it answers to each statement; several run at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.answer, statements))


@contextmanager
def running() -> Iterator[Trino]:
    """Start Trino, and stop it at the end. Raises NoTrino where it cannot be had."""
    try:
        installation = install()
    except CannotInstall as error:
        raise NoTrino(str(error)) from error
    with tempfile.TemporaryDirectory(prefix="trino-") as folder:
        port = free_port()
        etc = _configured(Path(folder), port)
        server = TrinoServer(installation, etc, port, Path(folder) / "server.log")
        try:
            server.await_ready(threading.Event())
            yield Trino(port)
        except TrinoStopped as error:
            raise NoTrino(str(error)) from error
        finally:
            server.stop()


def answers(statements: Sequence[str]) -> list[Answer]:
    """What Trino answers to each statement. Raises NoTrino."""
    with running() as trino:
        return trino.answers(statements)


def _configured(folder: Path, port: int) -> Path:
    """A server without catalogs."""
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    plugins = folder / "plugin"
    plugins.mkdir()
    values = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "node.environment": "tests",
        "node.bind-ip": "127.0.0.1",
        "node.internal-address": "127.0.0.1",
        "http-server.http.port": str(port),
        "discovery.uri": f"http://127.0.0.1:{port}",
        "http-server.process-forwarded": "true",
        "web-ui.enabled": "false",
        "plugin.dir": str(plugins),
        "catalog.config-dir": str(etc / "catalog"),
        "task.concurrency": "1",
        "query.max-history": "10",
        "query.min-expire-age": "5s",
    }
    (etc / "config.properties").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return etc
