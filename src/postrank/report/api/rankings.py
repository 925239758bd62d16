"""A run, its windows, a window's ranking and the course of authors, as documents of the JSON API."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import Document
from postrank.report.exports import Export, Exports, NotExported
from postrank.report.ties import tied_ranks
from postrank.report.windows import (
    Window,
    busiest_steps,
    complete_until,
    course,
    of_window,
    span_of_course,
    windows,
)

BUSIEST_STEP = "busiest_step"
SHOWN = (
    "rank",
    "network",
    "author_id",
    "author_handle",
    "author_name",
    "posts",
    "share",
    "previous_rank",
    "peak_60s",
    BUSIEST_STEP,
)
_HEADING = (
    "run",
    "dag_id",
    "run_id",
    "exported_at",
    "interval",
    "interval_requested",
    "top",
    "order",
    "networks",
    "include_reposts",
    "metric",
    "weights",
    "tag",
)
_COUNTS = ("posts", "duplicates", "tombstones")


def run(export: Export) -> Document:
    """A run as a whole; `granularities` only those in which at least one author is ranked.

    Windows that end after `complete_until` may still get posts.
    """
    manifest = export.manifest
    return {
        **{name: manifest.get(name) for name in _HEADING},
        "complete_until": text(complete_until(manifest)),
        "counts": {name: manifest[name] for name in _COUNTS if name in manifest},
        "granularities": export.granularities,
    }


def windows_of(exports: Exports, export: Export, granularity: str) -> Document:
    """The windows by column, oldest first."""
    exported = windows(exports.table(export, granularity))
    until = complete_until(export.manifest)
    columns = {
        "start": [text(window.start) for window in exported],
        "end": [text(window.end) for window in exported],
        "posts": [window.posts for window in exported],
        "complete": [window.end <= until for window in exported],
    }
    return {"granularity": granularity, "columns": columns}


def rows_of(exports: Exports, export: Export, granularity: str, window: Window) -> pa.Table:
    """The rows of a window as exported, and `busiest_step`: the most posts in a step of an author's course, or null."""
    rows = of_window(exports.table(export, granularity), window.start)
    finer, first, steps = span_of_course(granularity, window)
    if finer not in export.granularities:
        return rows.append_column(BUSIEST_STEP, pa.nulls(len(rows), pa.int64()))
    return rows.append_column(BUSIEST_STEP, busiest_steps(exports.table(export, finer), rows, finer, first, steps))


def ranking(export: Export, window: Window, rows: pa.Table, selected: pa.Table) -> Document:
    """Selected rows of a window's ranking by column: columns make 10,000 rows a third as long as objects do.

    `tied_rank` is the first of the ranks whose authors are equal in what the ranking is ordered by. `ranked` counts
    the window's authors in the export; `may_be_below` says whether authors may be missing below the last of them.
    """
    manifest = export.manifest
    ties = tied_ranks(rows, manifest.get("order") or "posts")
    posts = rows["posts"]
    columns = {name: selected[name].to_pylist() for name in SHOWN}
    return {
        "window": window_document(window, complete_until(manifest)),
        "ranked": rows.num_rows,
        "ranked_posts": pc.sum(posts).as_py() or 0,
        "last_posts": posts[-1].as_py() if rows.num_rows else None,
        "may_be_below": rows.num_rows >= (manifest.get("top") or 0),
        "columns": {**columns, "tied_rank": [ties[rank] for rank in columns["rank"]]},
    }


def courses(exports: Exports, export: Export, granularity: str, window: Window, ranks: Iterable[int]) -> Document:
    """How the authors at some ranks posted in the course of a window; null where no finer ranking was exported.

    `selected` are the steps, `[from, to)`, that the window covers.
    """
    finer, first, steps = span_of_course(granularity, window)
    if finer not in export.granularities:
        return {"course": None}
    rows = of_window(exports.table(export, granularity), window.start)
    authors = rows.filter(pc.is_in(rows["rank"], value_set=pa.array(sorted(ranks), pa.int64())))
    points = course(exports.table(export, finer), authors, finer, first, steps)
    series = dict(zip(authors["rank"].to_pylist(), points.series, strict=True))
    selected = [steps - 1, steps] if granularity == "minute" else [0, steps]
    return {
        "course": {"granularity": finer, "start": text(first), "steps": steps, "selected": selected, "series": series}
    }


def window_document(window: Window, until: datetime) -> Document:
    """A window, and whether all of its posts had arrived."""
    return {
        "start": text(window.start),
        "end": text(window.end),
        "posts": window.posts,
        "complete": window.end <= until,
    }


def window_at(exports: Exports, export: Export, granularity: str, start: datetime | None) -> Window:
    """The window that starts at `start`, unless given the newest complete one. Raises NotExported."""
    exported = windows(exports.table(export, granularity))
    if start is None:
        until = complete_until(export.manifest)
        complete = [window for window in exported if window.end <= until]
        if exported:
            return (complete or exported)[-1]
        raise NotExported(export.run, f"ranking per {granularity}")
    for window in exported:
        if window.start == start:
            return window
    raise NotExported(export.run, f"{granularity} that starts at {text(start)}")


def text(instant: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
