"""SQLite files in WAL mode: what was committed outlives a killed process; only a power cut could lose it."""

import sqlite3
from pathlib import Path


def open_database(
    path: Path, schema: str = "", *, autocommit: bool = True, shared: bool = True, pragmas: tuple[str, ...] = ()
) -> sqlite3.Connection:
    """Open a file, made with its folder where it is missing, and bring `schema` into it.

    Without `autocommit` statements gather in a transaction that `with connection:` commits. A `shared` connection may
    be used from any thread, one at a time. `pragmas` come first, since some hold only for a file that is still empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=30, check_same_thread=not shared, isolation_level=None if autocommit else "DEFERRED"
    )
    for pragma in (*pragmas, "journal_mode = wal", "synchronous = normal"):
        connection.execute(f"pragma {pragma}")
    if schema:
        connection.executescript(schema)
    return connection
