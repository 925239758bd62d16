"""Two runs side by side: who is ranked in the same window of both, and how far apart."""

from datetime import datetime

import pyarrow as pa

from postrank.documents import Document, JsonObject
from postrank.report.api import rankings
from postrank.report.exports import Export, Exports, NotExported
from postrank.report.ties import shared_ranks
from postrank.report.windows import Window, complete_until, of_window, windows

_SHOWN = ("rank", "tied_rank", "posts", "share", "peak_60s")


def comparison(
    exports: Exports, first: Export, second: Export, granularity: str, start: datetime | None, top: int
) -> Document:
    """The first `top` authors of either run in a window of both (the newest complete one unless given).

    A row has the author and, for each run, `rank`, `tied_rank` (the first of the ranks
    that are shared, else null), `posts`, `share` and `peak_60s`, or null where the author is below
    its exported top or absent. Raises NotExported where the runs have no window in common.
    """
    pairs = _common(exports, first, second, granularity)
    pair = _chosen(pairs, first, second, start, granularity)
    tables = [of_window(exports.table(export, granularity), pair[0].start) for export in (first, second)]
    return {
        "granularity": granularity,
        "runs": [rankings.run(export) for export in (first, second)],
        "windows": [rankings.text(window.start) for window, _ in pairs],
        "window": [
            rankings.window_document(window, complete_until(export.manifest))
            for window, export in zip(pair, (first, second), strict=True)
        ],
        "rows": _rows(tables, [export.manifest.get("order") or "posts" for export in (first, second)], top),
    }


def _common(exports: Exports, first: Export, second: Export, granularity: str) -> list[tuple[Window, Window]]:
    earlier = {(window.start, window.end): window for window in windows(exports.table(first, granularity))}
    later = windows(exports.table(second, granularity))
    return [(earlier[(window.start, window.end)], window) for window in later if (window.start, window.end) in earlier]


def _chosen(
    pairs: list[tuple[Window, Window]], first: Export, second: Export, start: datetime | None, granularity: str
) -> tuple[Window, Window]:
    if start is not None:
        pairs = [pair for pair in pairs if pair[0].start == start]
    until = min(complete_until(export.manifest) for export in (first, second))
    complete = [pair for pair in pairs if pair[0].end <= until]
    if not pairs:
        which = f" that starts at {rankings.text(start)}" if start else ""
        raise NotExported(second.run, f"{granularity}{which} in common with run {first.run}")
    return (complete or pairs)[-1]


def _rows(tables: list[pa.Table], orders: list[str], top: int) -> list[Document]:
    authors: dict[tuple[str, str], Document] = {}
    ranked: list[dict[tuple[str, str], JsonObject]] = []
    for table, order in zip(tables, orders, strict=True):
        shared = shared_ranks(table, order)
        rows: dict[tuple[str, str], JsonObject] = {
            (row["network"], row["author_id"]): {**row, "tied_rank": shared.get((row["window_start"], row.get(order)))}
            for row in table.to_pylist()
        }
        ranked.append(rows)
        for author, row in list(rows.items())[:top]:
            names = {name: row[name] for name in ("network", "author_id", "author_handle", "author_name")}
            authors.setdefault(author, names)
    return [{**names, "runs": [_figures(rows.get(author)) for rows in ranked]} for author, names in authors.items()]


def _figures(row: JsonObject | None) -> Document | None:
    return {name: row[name] for name in _SHOWN} if row else None
