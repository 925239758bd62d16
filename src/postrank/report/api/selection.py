"""Rows of one window's ranking, narrowed and sorted as the leaderboard does it, and as files to download."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from postrank.documents import JsonObject
from postrank.ranking.export_forms import csv_bytes, parquet_bytes

_SORTS: dict[str, Callable[[JsonObject], str | float | None]] = {
    "rank": lambda row: row["rank"],
    "change": lambda row: None if row["previous_rank"] is None else row["previous_rank"] - row["rank"],
    "author": lambda row: (row["author_name"] or row["author_handle"] or row["author_id"]).lower(),
    "network": lambda row: row["network"],
    "posts": lambda row: row["posts"],
    "share": lambda row: row["share"],
    "peak_60s": lambda row: row["peak_60s"],
    "busiest_step": lambda row: row["busiest_step"],
}
SORTS = tuple(_SORTS)
FILES = {
    "csv": (csv_bytes, "text/csv; charset=utf-8"),
    "parquet": (parquet_bytes, "application/vnd.apache.parquet"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows, and in which order. Rows without a value come last in either direction; ties stay in rank order."""

    network: str = ""
    query: str = ""  # part of a name, handle or id, in any case
    sort: str = "rank"
    descending: bool = False

    def of(self, rows: pa.Table) -> pa.Table:
        """The selected rows of a window's ranking (best first)."""
        listed: list[JsonObject] = rows.to_pylist()
        places = [place for place, row in enumerate(listed) if self._matches(row)]
        values = [_SORTS[self.sort](row) for row in listed]
        present = [(key, place) for place in places if (key := _key(values[place])) is not None]
        absent = [place for place in places if values[place] is None]
        # Sorting keeps the order of equal values, in reverse too.
        present.sort(key=lambda item: item[0], reverse=self.descending)
        return rows.take(pa.array([*(place for _, place in present), *absent], pa.int64()))

    def _matches(self, row: JsonObject) -> bool:
        if self.network and row["network"] != self.network:
            return False
        query = self.query.strip().removeprefix("@").lower()
        texts = (row["author_name"] or "", row["author_handle"] or "", row["author_id"])
        return query in "\n".join(texts).lower()


def _key(value: str | float | None) -> tuple[str, float] | None:
    """A value as something that compares: texts with texts, numbers with numbers."""
    if value is None:
        return None
    return (value, 0.0) if isinstance(value, str) else ("", float(value))
