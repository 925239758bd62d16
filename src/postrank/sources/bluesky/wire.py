"""The two wires of Jetstream: how a subscription is asked for, and what a frame of it says.

v1 is `/subscribe`: a cursor is the server's time in microseconds and means about the same on every host; one that is
older than the server's memory is moved forward without a word. v2 is `network.bsky.jetstream.subscribeEvents` with the
subprotocol `xrpc.v1.json`: a cursor is a sequence number of one host, or (from 10^15 on) a time in microseconds that
any host understands; too old a number is refused with 400 CursorTooOld (Jetstream's lexicons and README).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from websockets.typing import Subprotocol

from postrank.documents import Document, JsonObject
from postrank.posts import Event, Ignored, Malformed
from postrank.posts.formats.networks import bluesky_records as records
from postrank.posts.repairs import Repairs
from postrank.posts.times import EPOCH

MOST_DIDS = 10_000  # that a server takes
_DIDS_IN_PATH = 50  # more are sent behind the connection: a URL may hold only so much


@dataclass(slots=True, frozen=True)
class Frame:
    """What one frame said. `time_us` and `seq` are 0 where it carries none; `handle` is (did, handle)."""

    outcome: Event | Ignored | Malformed
    time_us: int = 0
    seq: int = 0
    handle: tuple[str, str] | None = None
    error: str | None = None  # the server ends the stream, and this is why


@dataclass(slots=True, kw_only=True)
class Position:
    """Where the stream stands: the newest event's time (µs), and its number on the host that gave it."""

    time_us: int
    seq: int = 0
    host: str = ""


class Wire(Protocol):
    """One version of the protocol."""

    subprotocols: list[Subprotocol] | None
    dids: tuple[str, ...]  # the accounts that are wanted; none: all

    def path(self, position: Position | None, host: str, rewind_us: int) -> str:
        """The path and query of a subscription from just before a position, or from now on."""
        ...

    def hello(self) -> str | None:
        """What the server is to be sent before it sends anything, if the path does not say all."""
        ...

    def parse(self, data: bytes, repairs: Repairs | None = None) -> Frame:
        """What a frame says. Never raises: a frame that cannot be read is a Malformed outcome."""
        ...


@dataclass(slots=True)
class V1:
    """`/subscribe`."""

    compressed: bool = False
    collections: tuple[str, ...] = (records.POSTS,)
    dids: tuple[str, ...] = ()
    subprotocols: list[Subprotocol] | None = None

    def path(self, position: Position | None, host: str, rewind_us: int) -> str:  # noqa: ARG002 the same on all
        query: dict[str, str | tuple[str, ...]] = {"wantedCollections": self.collections}
        if len(self.dids) > _DIDS_IN_PATH:
            query["requireHello"] = "true"
        elif self.dids:
            query["wantedDids"] = self.dids
        if position:
            query["cursor"] = str(max(position.time_us - rewind_us, 1))
        if self.compressed:
            query["compress"] = "true"
        return f"/subscribe?{urlencode(query, doseq=True)}"

    def hello(self) -> str | None:
        if len(self.dids) <= _DIDS_IN_PATH:
            return None
        options = {"wantedCollections": self.collections, "wantedDids": self.dids, "maxMessageSizeBytes": 0}
        return orjson.dumps({"type": "options_update", "payload": options}).decode()

    def parse(self, data: bytes, repairs: Repairs | None = None) -> Frame:
        time_us = 0
        try:
            message = _object(data)
            time_us = _whole(message, "time_us")
            return _event(message, str(message.get("kind")), time_us, 0, _Reading(repairs, self.collections))
        except Malformed as malformed:
            return Frame(malformed, time_us)


@dataclass(slots=True)
class V2:
    """`/xrpc/network.bsky.jetstream.subscribeEvents`; `dictionary` is the id of a zstd dictionary, 0 for none."""

    dictionary: int = 0
    collections: tuple[str, ...] = (records.POSTS,)
    dids: tuple[str, ...] = ()
    subprotocols: list[Subprotocol] | None = None

    def __post_init__(self) -> None:
        self.subprotocols = [Subprotocol("xrpc.v1.json")]

    def path(self, position: Position | None, host: str, rewind_us: int) -> str:
        query: dict[str, str | tuple[str, ...]] = {"collections": self.collections}
        if self.dids:
            query["dids"] = self.dids
        if position:
            same = position.seq and position.host == host
            query["cursor"] = str(position.seq if same else max(position.time_us - rewind_us, 10**15))
        if self.dictionary:
            query["zstdDictionary"] = str(self.dictionary)
        return f"/xrpc/network.bsky.jetstream.subscribeEvents?{urlencode(query, doseq=True)}"

    def hello(self) -> str | None:
        return None

    def parse(self, data: bytes, repairs: Repairs | None = None) -> Frame:
        try:
            message = _object(data)
            kind = message.get("$type")
            if kind == "error":
                name = str(message.get("error"))[:64]
                return Frame(Ignored("stream_error"), error=name)
            if kind is None:
                raise Malformed("a frame without $type")
            payload = message.get("payload")
            if kind != "message" or type(payload) is not dict:
                return Frame(Ignored("unknown"))
            return _v2_payload(payload, _Reading(repairs, self.collections))
        except Malformed as malformed:
            return Frame(malformed)


@dataclass(slots=True, frozen=True)
class _Reading:
    """How records are read: what counts their oddities, and the collections that are asked for."""

    repairs: Repairs | None
    collections: tuple[str, ...]


def _v2_payload(payload: Document, how: _Reading) -> Frame:
    kind = str(payload.get("$type")).rpartition("#")[2]
    if kind == "info":
        return Frame(Ignored("info"))
    time_us = _microseconds(payload.get("witnessedAt") or payload.get("time"))
    seq = _whole(payload, "seq")
    body = {"commit": payload} if kind == "commit" else payload
    try:
        return _event({**body, "did": payload.get("did")}, kind, time_us, seq, how)
    except Malformed as malformed:
        return Frame(malformed, time_us, seq)


def _event(message: JsonObject, kind: str, time_us: int, seq: int, how: _Reading) -> Frame:
    did = message.get("did")
    body = message.get(kind)
    if kind == "commit":
        if type(body) is not dict:
            raise Malformed("commit is missing")
        outcome = records.commit(did, body, to_time(time_us), how.repairs, how.collections)
        return Frame(outcome, time_us, seq)
    if kind == "account":
        return Frame(records.account(did, body, to_time(time_us)), time_us, seq)
    if kind == "identity":
        handle = body.get("handle") if type(body) is dict else None
        named = (did, handle) if type(did) is str and type(handle) is str else None
        return Frame(Ignored("identity"), time_us, seq, named)
    return Frame(Ignored("sync" if kind == "sync" else "unknown"), time_us, seq)


def to_time(time_us: int) -> datetime:
    """Microseconds since 1970 as an instant, cut to the millisecond. Raises Malformed."""
    try:
        return EPOCH + timedelta(milliseconds=time_us // 1000)
    except OverflowError as error:
        raise Malformed("the event's time is out of range") from error


def _object(data: bytes) -> Document:
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"not JSON: {error}") from error
    if type(message) is not dict:
        raise Malformed("not a JSON object")
    return message


def _whole(message: JsonObject, key: str) -> int:
    value = message.get(key)
    if type(value) is int and value > 0:
        return value
    raise Malformed(f"{key} is missing or no positive number")


def _microseconds(text: Any) -> int:
    try:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except (TypeError, ValueError, OverflowError) as error:
        raise Malformed("time is no RFC 3339 instant") from error
