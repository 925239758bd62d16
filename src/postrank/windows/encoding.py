"""Windows as the lines of the second stream, in the data contract's fields."""

from collections.abc import Iterable

import msgspec
import orjson

from postrank.windows.keyed_windows import KeyedWindow
from postrank.windows.window import Window

_encode = msgspec.json.Encoder().encode


def encode(windows: Iterable[Window | KeyedWindow], *, emitted_at: str, collector: str) -> list[bytes]:
    """The windows' lines, with their newlines. `emitted_at` is in the contract's form."""
    tail = b"," + orjson.dumps({"collector": collector, "emitted_at": emitted_at}, option=orjson.OPT_APPEND_NEWLINE)[1:]
    return [_encode(window)[:-1] + tail for window in windows]
