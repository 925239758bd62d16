"""What the leaderboard's page asks for, as JSON: a run, its windows, a window's ranking, the course of authors."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import Document
from postrank.report.exports import Export, Exports, NotExported
from postrank.report.windows import Window, course, of_window, span_of_course, windows

_SHOWN = (
    "rank",
    "network",
    "author_id",
    "author_handle",
    "author_name",
    "posts",
    "share",
    "previous_rank",
    "peak_60s",
)
_HEADING = ("run", "dag_id", "run_id", "exported_at", "interval", "top", "order", "networks", "include_reposts")
_COUNTS = ("posts", "duplicates", "tombstones")


def run(export: Export) -> Document:
    """What the page says about a run as a whole; `granularities` only those in which anybody is ranked."""
    manifest = export.manifest
    return {
        **{name: manifest.get(name) for name in _HEADING},
        "counts": {name: manifest[name] for name in _COUNTS if name in manifest},
        "granularities": export.granularities,
    }


def windows_of(exports: Exports, export: Export, granularity: str) -> Document:
    """The windows, oldest first, as `[start, end]`."""
    exported = windows(exports.table(export, granularity))
    return {"windows": [[text(window.start), text(window.end)] for window in exported]}


def ranking(exports: Exports, export: Export, granularity: str, start: datetime) -> Document:
    """A window's ranking by column, best first: columns make 10,000 rows a third as long as objects do."""
    window = _window(exports, export, granularity, start)
    rows = of_window(exports.table(export, granularity), start)
    return {
        "window": {"start": text(window.start), "end": text(window.end), "posts": window.posts},
        "columns": {name: rows[name].to_pylist() for name in _SHOWN},
    }


def courses(exports: Exports, export: Export, granularity: str, start: datetime, ranks: Iterable[int]) -> Document:
    """How the authors at some ranks posted in the course of a window; null where no finer ranking was exported."""
    window = _window(exports, export, granularity, start)
    finer, first, steps = span_of_course(granularity, window)
    if finer not in export.granularities:
        return {"course": None}
    rows = of_window(exports.table(export, granularity), start)
    authors = rows.filter(pc.is_in(rows["rank"], value_set=pa.array(sorted(ranks), pa.int64())))
    points = course(exports.table(export, finer), authors, finer, first, steps)
    series = dict(zip(authors["rank"].to_pylist(), points.series, strict=True))
    return {"course": {"granularity": finer, "start": text(first), "steps": steps, "series": series}}


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _window(exports: Exports, export: Export, granularity: str, start: datetime) -> Window:
    for window in windows(exports.table(export, granularity)):
        if window.start == start:
            return window
    raise NotExported(export.run, f"{granularity} that starts at {text(start)}")
