"""Events as the lines that leave the collector: one JSON object each, in the data contract's fields, nulls left out."""

from collections.abc import Iterable

import msgspec
import orjson

from postrank.posts.events import Event, Like, Log, Metrics, Post, Tombstone

_encode = msgspec.json.Encoder().encode
_KIND = b'{"kind"'
_BEGINNINGS: dict[type, bytes] = {
    Post: b'{"kind":"post",',
    Like: b'{"kind":"like",',
    Metrics: b'{"kind":"metrics",',
    Log: b'{"kind":"log",',
    Tombstone: b'{"kind":"delete",',
}


class LineEncoder:
    """Encodes the events that one collector read at one time."""

    def __init__(self, *, received_at: str, collector: str) -> None:
        """`received_at` is in the contract's form."""
        collector_fields = orjson.dumps(
            {"received_at": received_at, "collector": collector}, option=orjson.OPT_APPEND_NEWLINE
        )
        self._tail = b"," + collector_fields[1:]

    def encode(self, events: Iterable[Event]) -> list[bytes]:
        """The events' lines, with their newlines."""
        tail = self._tail
        lines = []
        for event in events:
            body = _encode(event)
            # A struct leaves out what has its default, the kind of most posts among it.
            if not body.startswith(_KIND):
                body = _BEGINNINGS[type(event)] + body[1:]
            lines.append(body[:-1] + tail)
        return lines


def encode(event: Event, *, received_at: str, collector: str) -> bytes:
    """One event's line, with its newline."""
    return LineEncoder(received_at=received_at, collector=collector).encode([event])[0]
