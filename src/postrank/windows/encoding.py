"""Author windows as the lines of the second stream, in the data contract's fields."""

from datetime import timedelta
from functools import lru_cache

import orjson

from postrank.posts.times import EPOCH, to_text
from postrank.windows.author_windows import Window


def encode(window: Window, *, emitted_at: str, collector: str) -> bytes:
    """The window's line, with its newline. `emitted_at` is in the contract's form."""
    network, author_id = window.author.split("\n", 1)
    fields = {
        "network": network,
        "author_id": author_id,
        "author_handle": window.handle,
        "window_start": _instant(window.start_ms),
        "window_end": _instant(window.end_ms),
        "kind": window.kind,
        "posts": window.posts,
        "final": window.final,
        "collector": collector,
        "emitted_at": emitted_at,
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


@lru_cache(maxsize=4096)
def _instant(milliseconds: int) -> str:
    return to_text(EPOCH + timedelta(milliseconds=milliseconds))
