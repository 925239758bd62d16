"""What a statement that runs on Trino has at hand."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from localaws.services.athena.execution.session import Session
from localaws.services.athena.execution.trino.cells import Spelling, spellings
from localaws.services.athena.execution.trino.delegation import Delegation
from localaws.services.athena.execution.trino.failures import failed
from localaws.services.athena.execution.trino.protocol import Answer, Connection, TrinoFailed
from localaws.services.athena.scan.storage import Place, place
from localaws.services.athena.sql.failures import QueryCancelled

_NODE_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_POSITION = re.compile(r"line (\d+):(\d+)")
Cells = list[str | None]


@dataclass(slots=True, kw_only=True)
class TrinoSession(Session):
    """A session of the Trino engine."""

    delegation: Delegation

    @classmethod
    def of(cls, session: Session) -> "TrinoSession":
        """The session, which an engine of Trino made."""
        if not isinstance(session, cls):
            raise TypeError("this statement runs on the Trino engine")
        return session

    def execute(
        self, text: "Text", parameters: Sequence[str] = (), properties: Mapping[str, str] | None = None
    ) -> Iterator[Cells]:
        """Run a statement; gives its rows as text. `answer` describes them from the first row, or the end, on.

        Raises QueryFailed, QueryCancelled; the latter where the workgroup's cut-off is passed, too.
        """
        connection = cast(Connection, self.cursor)
        scanned = self.scanned
        sql = _with(text.sql, parameters)
        spelling: list[Spelling] | None = None
        try:
            for page in _pages(connection, sql, properties):
                if spelling is None:
                    spelling = spellings(connection.answer.columns)
                for row in page:
                    yield [None if cell is None else spell(cell) for spell, cell in zip(spelling, row, strict=True)]
                self._count(connection, scanned)
            self._count(connection, scanned)
        except TrinoFailed as error:
            self.scanned = scanned + connection.answer.scanned
            placed = TrinoFailed(error.name, text.placed(str(error)), error.kind, error.causes)
            raise failed(placed, self.delegation.refusal) from error

    @property
    def answer(self) -> Answer:
        """What is known of the statement that ran last."""
        return cast(Connection, self.cursor).answer

    def run_to_end(
        self, text: "Text", parameters: Sequence[str] = (), properties: Mapping[str, str] | None = None
    ) -> Answer:
        """Run a statement that gives no rows."""
        for _ in self.execute(text, parameters, properties):
            pass
        return self.answer

    def written_objects(self, table: Sequence[str]) -> list[str]:
        """Addresses of the objects that the last statement wrote: their names begin with its id in Trino.

        Objects of partitions that lie outside of the table's folder are not among them.
        """
        described = self.table(table)
        if not described.location:
            return []
        return self.objects_of(place(described.location).folder())

    def objects_of(self, folder: Place) -> list[str]:
        """Addresses of what the last statement wrote below a folder."""
        prefix = self.answer.id
        items = self.storage.data_files(folder)
        return [f"s3://{folder.bucket}/{item.key}" for item in items if item.key.rpartition("/")[2].startswith(prefix)]

    def _count(self, connection: Connection, before: int) -> None:
        self.scanned = before + connection.answer.scanned
        if self.cutoff is not None and self.scanned > self.cutoff:
            connection.interrupt()
            raise QueryCancelled("Bytes scanned limit was exceeded")


@dataclass(frozen=True, slots=True)
class Text:
    """A statement for Trino: `head`, then, from a new line on, a part of the caller's own text that began at `place`
    (line and column), so that errors name places in what the caller wrote.
    """

    head: str
    part: str
    place: tuple[int, int] = (1, 1)
    tail: str = ""

    @classmethod
    def of(cls, sql: str, start: int = 0, end: int | None = None, *, head: str = "", tail: str = "") -> "Text":
        before = sql[:start]
        column = start - (before.rfind("\n") + 1) + 1
        return cls(head, sql[start:end], (before.count("\n") + 1, column), tail)

    @property
    def sql(self) -> str:
        return "\n".join(part for part in (self.head, self.part, self.tail) if part)

    def placed(self, message: str) -> str:
        """A message with the lines and columns of the caller's text."""
        first = self.head.count("\n") + 2 if self.head else 1

        def replaced(match: re.Match[str]) -> str:
            line = int(match[1]) - first
            if line < 0:
                return "line 1:1"
            column = int(match[2]) + (self.place[1] - 1 if line == 0 else 0)
            return f"line {line + self.place[0]}:{column}"

        return _POSITION.sub(replaced, message)


def _pages(connection: Connection, sql: str, properties: Mapping[str, str] | None) -> Iterator[list[list[object]]]:
    """The pages of a statement. Right after its start Trino may not know itself as a node yet: it is asked again."""
    deadline = time.monotonic() + _NODE_SECONDS
    while True:
        try:
            yield from connection.execute(sql, properties)
        except TrinoFailed as error:
            if error.name != "NO_NODES_AVAILABLE" or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _with(sql: str, parameters: Sequence[str]) -> str:
    """The statement with values for its `?`, which are expressions and no text."""
    if not parameters:
        return sql
    quoted = sql.replace("'", "''")
    return f"EXECUTE IMMEDIATE '{quoted}' USING {', '.join(parameters)}"
