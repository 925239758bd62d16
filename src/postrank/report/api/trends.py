"""Authors over the newest windows of a run: who rises, who falls."""

from collections import Counter, defaultdict
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import Document, JsonObject
from postrank.report.api import rankings
from postrank.report.exports import Export, Exports
from postrank.report.windows import STEPS, Window, complete_until, windows

_NAMES = ("network", "author_id", "author_handle", "author_name")
Author = tuple[str, str]


def trends(exports: Exports, export: Export, granularity: str, count: int, top: int) -> Document:
    """The `top` authors of most posts in the newest `count` complete windows (of all where none is complete).

    Windows follow each other in time: one in which nothing was posted counts. `series` has an author's posts by
    number of the window, without those in which they are below the exported top; `change` is the newest window's
    posts less the mean of the windows before it.
    """
    table = exports.table(export, granularity)
    recent = _recent(windows(table), complete_until(export.manifest), granularity, count)
    first = recent[0].start
    step = STEPS.get(granularity) or recent[-1].end - first
    steps = round((recent[-1].end - first) / step)
    rows = table.filter(pc.greater_equal(table["window_start"], pa.scalar(first, pa.timestamp("ms", tz="UTC"))))
    numbers = {window.start: round((window.start - first) / step) for window in recent}
    totals = [0] * steps
    for window in recent:
        totals[numbers[window.start]] = window.posts
    return {
        "run": rankings.run(export),
        "granularity": granularity,
        "start": rankings.text(first),
        "end": rankings.text(recent[-1].end),
        "steps": steps,
        "totals": totals,
        "complete": recent[-1].end <= complete_until(export.manifest),
        "rows": _rows(rows.to_pylist(), numbers, steps, top),
    }


def _recent(exported: list[Window], until: datetime, granularity: str, count: int) -> list[Window]:
    complete = [window for window in exported if window.end <= until] or exported
    if granularity not in STEPS:
        return complete[-1:]
    first = complete[-1].end - count * STEPS[granularity]
    return [window for window in complete if window.start >= first]


def _rows(rows: list[JsonObject], numbers: dict[datetime, int], steps: int, top: int) -> list[Document]:
    totals: Counter[Author] = Counter()
    series: defaultdict[Author, list[tuple[int, int]]] = defaultdict(list)
    names: dict[Author, JsonObject] = {}
    for row in rows:
        if row["window_start"] in numbers:
            author = (row["network"], row["author_id"])
            totals[author] += row["posts"]
            series[author].append((numbers[row["window_start"]], row["posts"]))
            names[author] = row
    order = sorted(totals, key=lambda author: (-totals[author], author))[:top]
    return [_row(names[author], sorted(series[author]), totals[author], steps) for author in order]


def _row(row: JsonObject, series: list[tuple[int, int]], total: int, steps: int) -> Document:
    newest = dict(series).get(steps - 1, 0)
    before = (total - newest) / (steps - 1) if steps > 1 else None
    change = None if before is None else round(newest - before, 3)
    return {
        **{name: row[name] for name in _NAMES},
        "posts": total,
        "newest": newest,
        "mean_before": None if before is None else round(before, 3),
        "change": change,
        "series": series,
    }
