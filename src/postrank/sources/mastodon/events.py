"""The events of Mastodon's stream: server-sent events in, outcomes out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from postrank.documents import Document
from postrank.posts import Event, Ignored, Malformed, Tombstone
from postrank.posts.formats.networks.mastodon_statuses import status
from postrank.posts.repairs import Repairs
from postrank.sources.files.line_batches import LINE_LIMIT


class LineTooLong(ValueError):
    """A line, or the lines of an event, grow without an end; `start` is how they begin."""

    def __init__(self, start: bytes) -> None:
        super().__init__(f"event longer than {LINE_LIMIT} bytes")
        self.start = start


@dataclass(slots=True)
class Events:
    """Splits bytes into (event, data) pairs (HTML standard, "Server-sent events"); comments are heartbeats."""

    _rest: bytes = b""
    _name: str = ""
    _data: list[bytes] = field(default_factory=list)
    _held: int = 0  # bytes of `_data`

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that these bytes complete. Raises LineTooLong."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = self._line(line.rstrip(b"\r"))
            if event:
                yield event
        if len(self._rest) > LINE_LIMIT:
            raise LineTooLong(self._rest[:4096])

    def _line(self, line: bytes) -> tuple[str, bytes] | None:
        if not line:
            return self._dispatch()
        key, _, value = line.partition(b":")  # a comment has no key
        value = value.removeprefix(b" ")
        if key == b"event":
            self._name = value.decode(errors="replace")
        elif key == b"data":
            self._data.append(value)
            self._held += len(value) + 1
            if self._held > LINE_LIMIT:
                raise LineTooLong(self._data[0][:4096])
        return None

    def _dispatch(self) -> tuple[str, bytes] | None:
        """The event that an empty line ends; None where it is neither named nor has data."""
        name = self._name or "message"
        data = b"\n".join(self._data)
        self._name = ""
        self._data = []
        self._held = 0
        return (name, data) if data or name != "message" else None


def outcome(name: str, data: bytes, host: str, repairs: Repairs | None = None) -> Event | Ignored | Malformed:
    """What an event says (docs.joinmastodon.org, "streaming API methods"). Never raises."""
    try:
        if name == "delete":
            return _delete(data, host)
        if name in ("update", "status.update"):
            return status(_object(data), host, edited=name == "status.update", repairs=repairs)
        return Ignored("unknown")
    except Malformed as malformed:
        return malformed


def _delete(data: bytes, host: str) -> Tombstone:
    post_id = data.decode(errors="replace").strip()
    if not post_id.isalnum():
        raise Malformed("a delete without an id")
    return Tombstone(network=f"mastodon:{host}", post_id=post_id)


def _object(data: bytes) -> Document:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    if type(body) is not dict:
        raise Malformed("not a JSON object")
    return body
