"""Deleted posts leave the warehouse: their labels, and the words of days that were counted with them.

The lake's tombstones say what is deleted; a repeat changes nothing. It needs no model and no extra package, so it works
where labelling is switched off after it was on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import psycopg

from postrank.documents import Document
from postrank.labels.budgets import Turn
from postrank.labels.counted_days import counted_days
from postrank.labels.lake_posts import Lake
from postrank.ranking.arrivals import name_of
from postrank.warehouse.connection import WarehouseAway
from postrank.warehouse.schema import require_newest

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

LOOKBACK = timedelta(days=14)  # tombstones are looked through for longer than a redaction may be late


@dataclass(slots=True)
class Removed:
    """What a run took out."""

    labels: int = 0
    days: int = 0

    def __str__(self) -> str:
        return f"{self.labels:,} labels of deleted posts removed, {self.days:,} days to be counted again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """One run. `connect` opens a connection in autocommit mode; `statement` reads a file of `include/postgres`."""

    lake: Lake
    connect: "Callable[[], Connection[TupleRow]]"
    statement: Callable[[str], str]
    turn: Turn

    def run(self, as_of: datetime) -> Removed:
        """Take out what tombstones of the last days name. Raises SchemaBehind, WarehouseAway, LeaseBusy."""
        removed = Removed()
        try:
            with self.connect() as connection:
                require_newest(connection)
                with self.turn.held():
                    removed.labels = self._remove_labels(connection, name_of(as_of - LOOKBACK))
                    removed.days = self._remove_days(connection)
        except psycopg.OperationalError as error:
            raise WarehouseAway(f"the connection to the warehouse broke: {error}") from error
        return removed

    def _remove_labels(self, connection: "Connection[TupleRow]", first_hour: str) -> int:
        rows = self.lake.deleted_posts(first_hour)
        posts: list[Document] = [dict(row) for row in rows if row["author_id"] is None]
        authors: list[Document] = [
            {**row, "deleted_at": f"{row['deleted_at']}+00:00"} for row in rows if row["author_id"] is not None
        ]
        removed = 0
        with connection.transaction(), connection.cursor() as cursor:
            for name, values in (("labels_of_post_removed", posts), ("labels_of_author_removed", authors)):
                if values:
                    cursor.executemany(self.statement(name), values)
                    removed += cursor.rowcount
        return removed

    def _remove_days(self, connection: "Connection[TupleRow]") -> int:
        """Empty the days that lost posts after they were counted; the next count fills them again."""
        counted = counted_days(connection, self.statement)
        days = self.lake.day_partitions()
        changed = [day for day in counted if set(days.get(day, {}).values()) - set(counted[day])]
        if not changed:
            return 0
        reduced = {
            day
            for day, hour in self.lake.reduced_days(sorted(changed))
            if days.get(day, {}).get(hour) not in counted[day]
        }
        with connection.transaction(), connection.cursor() as cursor:
            for day in sorted(reduced):
                cursor.execute(self.statement("words_removed"), {"posted_date": day})
                cursor.execute(self.statement("counted_days_removed"), {"posted_date": day})
        return len(reduced)
