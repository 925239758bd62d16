"""What a statement leaves behind, and how one is stopped: known without the SQL engine, which is loaded only to run."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: Athena's type name, and precision and scale as GetQueryResults gives them."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0


@dataclass(slots=True)
class Outcome:
    """What a statement gave: rows (Python values, or text where `columns` says varchar), or what it wrote."""

    columns: Sequence[Column] = ()
    rows: Iterator[Sequence[Any]] = field(default_factory=lambda: iter(()))
    types: Sequence[Any] = ()  # the engine's types of the columns, where values are to be formatted
    update_count: int | None = None
    manifest: Sequence[str] | None = None  # addresses of the objects written
    location: str | None = None  # of what a CTAS wrote


@dataclass(slots=True)
class Stop:
    """How a running statement is stopped from another thread."""

    requested: threading.Event = field(default_factory=threading.Event)
    cursor: Any = None

    def now(self) -> None:
        self.requested.set()
        if self.cursor is not None:
            self.cursor.interrupt()
