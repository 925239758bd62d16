"""Loading objects: one transaction each, one object at a time, noted in `loads`.

A load reads its object after it has the turn, so that of two contents of one key the newer one is stored last. A
content that was loaded already changes nothing.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg

from postrank.warehouse.connection import WarehouseAway
from postrank.warehouse.documents import load_hashtags, load_ledgers, load_place, load_posts
from postrank.warehouse.objects import LoadedObject, NotLoadable, ObjectMissing, Objects, kind_of
from postrank.warehouse.rankings import load_ranking
from postrank.warehouse.schema import require_newest

if TYPE_CHECKING:
    from psycopg import Cursor
    from psycopg.rows import TupleRow

log = logging.getLogger(__name__)
_TURN = 7_235_002  # key of the advisory lock that loads take turns with
_BATCH = 500


@dataclass(slots=True)
class Loads:
    """What a call loaded: keys with the rows that were stored, keys whose content was there already, absent keys."""

    rows: dict[str, int]
    unchanged: list[str]
    missing: list[str]

    def __str__(self) -> str:
        parts = [f"{sum(self.rows.values())} rows of {len(self.rows)} objects loaded"]
        parts += [f"{len(self.unchanged)} unchanged"] if self.unchanged else []
        parts += [f"{len(self.missing)} no longer exist"] if self.missing else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """`connect` opens a connection in autocommit mode; `statement` reads a file of `include/postgres`."""

    connect: Callable[[], "psycopg.Connection[TupleRow]"]
    statement: Callable[[str], str]
    objects: Objects

    def load(self, keys: Iterable[str]) -> Loads:
        """Load objects by their keys. Raises NotLoadable, SchemaBehind, WarehouseAway, ObjectChanged."""
        loads = Loads({}, [], [])
        try:
            with self.connect() as connection:
                require_newest(connection)
                for key in dict.fromkeys(keys):
                    self._load(connection, key, loads)
        except psycopg.OperationalError as error:
            raise WarehouseAway(f"the connection to the warehouse broke: {error}") from error
        return loads

    def missed(self, since: datetime | None = None) -> list[str]:
        """The keys of objects, written since a moment, whose content was not loaded; the oldest first."""
        listed = list(self.objects.listed(since))
        loaded: dict[str, str] = {}
        with self.connect() as connection:
            require_newest(connection)
            for start in range(0, len(listed), _BATCH):
                keys = [entry.key for entry in listed[start : start + _BATCH]]
                loaded |= dict(connection.execute(self.statement("loaded_objects"), {"keys": keys}).fetchall())
        missed = [entry for entry in listed if loaded.get(entry.key) != entry.etag]
        return [entry.key for entry in sorted(missed, key=lambda entry: (entry.modified, entry.key))]

    def _load(self, connection: "psycopg.Connection[TupleRow]", key: str, loads: Loads) -> None:
        try:
            with connection.transaction(), connection.cursor() as cursor:
                rows = self._stored(cursor, key)
        except ObjectMissing as error:
            log.warning("nothing to load: %s", error)
            loads.missing.append(key)
            return
        if rows is None:
            loads.unchanged.append(key)
        else:
            loads.rows[key] = rows

    def _stored(self, cursor: "Cursor[TupleRow]", key: str) -> int | None:
        """How many rows an object gave; None when its content was loaded before."""
        cursor.execute("select pg_advisory_xact_lock(%s)", (_TURN,))
        content = self.objects.read(key)
        cursor.execute(self.statement("loaded_objects"), {"keys": [key]})
        if cursor.fetchall() == [(key, content.etag)]:
            return None
        rows = self._store(cursor, content)
        values = {"object": key, "etag": content.etag, "checksum": content.checksum, "rows": rows}
        cursor.execute(self.statement("loads_stored"), values)
        return rows

    def _store(self, cursor: "Cursor[TupleRow]", content: LoadedObject) -> int:
        match kind_of(content.key):
            case "ranking":
                return load_ranking(cursor, self.objects, content, self.statement)
            case "posts":
                return load_posts(cursor, self.objects, content, self.statement)
            case "ledgers":
                return load_ledgers(cursor, content.document, self.statement)
            case "hashtags":
                return load_hashtags(cursor, content.document, self.statement)
            case "place":
                return load_place(cursor, content.document, self.statement)
        raise NotLoadable(content.key)
