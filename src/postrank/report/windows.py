"""The windows of a ranking, the authors of one of them, and the course of authors through finer windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from postrank.documents import JsonObject

STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_LONGEST_BY_HOUR = timedelta(days=3)  # what is longer is drawn day by day: an hour would be thinner than a pixel


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)` in event time, UTC; `posts` counts everybody's, ranked or not."""

    start: datetime
    end: datetime
    posts: int


@dataclass(frozen=True, slots=True)
class Course:
    """Posts per step of authors: `series[i]` holds (step number, posts) of the i-th author, in no order."""

    granularity: str
    start: datetime
    steps: int
    series: list[list[tuple[int, int]]]


def windows(ranking: pa.Table) -> list[Window]:
    """The windows of a ranking, oldest first.

    The ranked authors' share tells the posts of everybody; it is exported with six digits, so that of millions of
    posts the last digits may differ.
    """
    sums = ranking.group_by(["window_start", "window_end"]).aggregate([("posts", "sum"), ("share", "sum")])
    exported_windows = [
        Window(row["window_start"], row["window_end"], round(row["posts_sum"] / (row["share_sum"] or 1)))
        for row in sums.to_pylist()
    ]
    return sorted(exported_windows, key=lambda window: window.start)


def complete_until(manifest: JsonObject) -> datetime:
    """The instant up to which a run ranked all that had been posted: where its interval ends, at its export at latest.

    A window that ends later may still get posts.
    """
    ends = (manifest["interval"]["end"], manifest["exported_at"])
    return min(datetime.fromisoformat(end) for end in ends)


def of_window(ranking: pa.Table, start: datetime) -> pa.Table:
    """The rows of the window that starts at `start`, best first; none if there is no such window."""
    rows = ranking.filter(pc.equal(ranking["window_start"], _instant(start)))
    return rows.sort_by("rank")


def span_of_course(granularity: str, window: Window) -> tuple[str, datetime, int]:
    """Which finer windows show the course of a window: their granularity, the first's start, how many.

    A minute has no finer ones: it is shown as the last of the sixty minutes that end with it.
    """
    if granularity == "minute":
        return "minute", window.end - timedelta(minutes=60), 60
    length = window.end - window.start
    if granularity == "all":
        finer = "hour" if length <= _LONGEST_BY_HOUR else "day"
    else:
        finer = {"hour": "minute", "day": "hour"}[granularity]
    start = _floor(window.start, finer)
    return finer, start, -((start - window.end) // STEPS[finer])


def course(finer: pa.Table, authors: pa.Table, granularity: str, start: datetime, steps: int) -> Course:
    """The course of `authors` (rows of a ranking) through the windows of the ranking `finer`.

    A step in which an author was below the exported ranks is missing, as one in which they posted nothing.
    """
    step = STEPS[granularity]
    rows = _within(finer, start, start + steps * step)
    places = pc.index_in(_identity(rows), value_set=_identity(authors))
    points = rows.select(["window_start", "posts"]).append_column("place", places).filter(pc.is_valid(places))
    series: list[list[tuple[int, int]]] = [[] for _ in range(len(authors))]
    for row in points.to_pylist():
        series[row["place"]].append(((row["window_start"] - start) // step, row["posts"]))
    return Course(granularity, start, steps, series)


def busiest_steps(finer: pa.Table, authors: pa.Table, granularity: str, start: datetime, steps: int) -> pa.Array:
    """The most posts in a step of the course of each of `authors`; null where they are in no step's ranking."""
    rows = _within(finer, start, start + steps * STEPS[granularity])
    most = (
        pa.table({"author": _identity(rows), "posts": rows["posts"]}).group_by("author").aggregate([("posts", "max")])
    )
    places = pc.index_in(_identity(authors), value_set=most["author"].combine_chunks())
    return most["posts_max"].combine_chunks().take(places)


def total_course(finer: Sequence[Window], granularity: str, start: datetime, steps: int) -> list[int]:
    """Everybody's posts per step."""
    totals = [0] * steps
    for window in finer:
        number = (window.start - start) // STEPS[granularity]
        if 0 <= number < steps:
            totals[number] += window.posts
    return totals


def _within(ranking: pa.Table, start: datetime, end: datetime) -> pa.Table:
    """The rows of the windows that start in [start, end)."""
    starts = ranking["window_start"]
    return ranking.filter(pc.and_(pc.greater_equal(starts, _instant(start)), pc.less(starts, _instant(end))))


def _floor(instant: datetime, granularity: str) -> datetime:
    whole = instant.replace(second=0, microsecond=0)
    if granularity == "minute":
        return whole
    return whole.replace(minute=0) if granularity == "hour" else whole.replace(hour=0, minute=0)


def _instant(instant: datetime) -> Any:
    return pa.scalar(instant, pa.timestamp("ms", tz="UTC"))


def _identity(rows: pa.Table) -> Any:
    """Network and author id as one text; a network has no space in it."""
    joined = pc.binary_join_element_wise(rows["network"], rows["author_id"], " ")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
