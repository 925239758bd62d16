"""Author windows of the stream, kept in `live_windows`: an upsert that may be repeated, and a bounded table."""

from collections.abc import Iterable
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
import psycopg

from postrank.warehouse.connection import WarehouseAway

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

SLIDING_RETENTION = timedelta(minutes=15)
TUMBLING_RETENTION = timedelta(hours=3)
SILENT_RETENTION = timedelta(days=1)  # a network that emits nothing for so long has left
_COLUMNS = (
    "kind", "window_end", "network", "author_id", "collector", "window_start", "author_handle", "posts", "final",
    "emitted_at",
)  # fmt: skip
_STAGE = "create temporary table staged_live_windows (like live_windows) on commit drop"
_COPY = f"copy staged_live_windows ({', '.join(_COLUMNS)}) from stdin"


class WindowRow(msgspec.Struct, gc=False):
    """A line of the second stream, in the data contract's fields."""

    kind: str
    window_end: str
    network: str
    author_id: str
    collector: str
    window_start: str
    posts: int
    final: bool
    emitted_at: str
    author_handle: str | None = None


_KEYED = b'"kind":"keyed"'
_decoder = msgspec.json.Decoder(WindowRow)


def rows_of(data: bytes) -> tuple[list[WindowRow], int]:
    """The authors' windows in a record, which holds a line for each, and how many lines are no windows.

    Windows by other keys than the author are passed over.
    """
    rows: list[WindowRow] = []
    broken = 0
    for line in data.splitlines():
        if _KEYED in line:
            continue
        try:
            rows.append(_decoder.decode(line))
        except msgspec.MsgspecError:
            broken += bool(line.strip())
    return rows, broken


def store(connection: "psycopg.Connection[TupleRow]", rows: Iterable[WindowRow]) -> None:
    """Upsert windows in one transaction and remove old ones. Raises WarehouseAway."""
    try:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_STAGE)
            with cursor.copy(_COPY) as copy:
                for row in rows:
                    copy.write_row([_storable(getattr(row, name)) for name in _COLUMNS])
            cursor.execute(_statement("windows_stored"))
            retention = {"sliding": SLIDING_RETENTION, "tumbling": TUMBLING_RETENTION, "silent": SILENT_RETENTION}
            cursor.execute(_statement("windows_removed"), retention)
    except psycopg.OperationalError as error:
        raise WarehouseAway(f"the connection to the warehouse broke: {error}") from error


def _statement(name: str) -> bytes:
    return files("postrank.warehouse.live").joinpath(f"{name}.sql").read_bytes()


def _storable(value: object) -> object:
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
