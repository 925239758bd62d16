"""One emission of one author's window, in the data contract's fields; and its line in the second stream."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from postrank.posts.times import EPOCH, to_text
from postrank.windows.author_numbers import Author

LENGTH_MS = 60_000
# The first and the last instant that the contract's form can write, in milliseconds since 1970.
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


class Window(Struct, gc=False):
    """Without `collector` and `emitted_at`, which the streamer knows."""

    network: str
    author_id: str
    author_handle: str | None
    window_start: str
    window_end: str
    kind: Literal["tumbling", "sliding"]
    posts: int
    final: bool


def window(author: Author, end_ms: int, kind: Literal["tumbling", "sliding"], posts: int) -> Window:
    """The window of 60 s that ends at `end_ms` since 1970; a tumbling one is final when it is emitted."""
    return Window(*author, instant_at(end_ms - LENGTH_MS), instant_at(end_ms), kind, posts, kind == "tumbling")


@lru_cache(maxsize=256)
def instant_at(milliseconds: int) -> str:
    """The instant, or the first or last that the contract can write: windows begin before the first post, end after."""
    milliseconds = min(max(milliseconds, _FIRST), _LAST)
    return to_text(EPOCH + timedelta(milliseconds=milliseconds))
