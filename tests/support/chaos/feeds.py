"""What a storm needs of the source that it blows at, and what the story of a live source has beside the file's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.chaos.events import Arrived, Line, model, told
from tests.support.fakes.faulty_proxy import FaultyProxy

_LAST = "999999999"  # the id of the last post and of its author
_LATER_S = 3600  # by which a last event lies behind all others, so that their windows are final


@dataclass
class Feeding:
    """A source that is ready to be read."""

    options: dict[str, Any]  # the table [source]
    expected: Callable[[], Arrived]  # what must arrive, once all is told
    files: list[Path] = field(default_factory=list)
    proxy: FaultyProxy | None = None  # in front of the source; None: it cannot be cut off, and ends by itself
    opened: Callable[[], int] = lambda: 0  # connections, ever
    begin: Callable[[], None] = lambda: None  # once the streamer has saved a cursor
    finish: Callable[[], None] = lambda: None  # once the storm is over, and the streamer runs
    complaints: Callable[[], Any] = lambda: None  # of the network, about how it was used


def earlier(line: Line) -> Line:
    """The line, two years before: no clock on which this runs takes its time for one to come."""
    return {**line, "posted_at": line["posted_at"].replace("2026", "2024", 1)}


def last_line(number: int) -> Line:
    """An event that comes an hour after `number` lines."""
    line = next(told(1, 0))
    at = datetime.fromisoformat(line["posted_at"]) + timedelta(seconds=number / 50 + _LATER_S)
    text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**line, "post_id": _LAST, "author_id": _LAST, "posted_at": text}


def without_last(lines: Iterable[Line]) -> Arrived:
    """What must arrive; the window of the last event stays open."""
    found = model(lines)
    found.windows = {key: posts for key, posts in found.windows.items() if not key[1].endswith(_LAST)}
    return found
