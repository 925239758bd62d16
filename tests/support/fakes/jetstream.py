"""A Jetstream on loopback: real websockets, both wires, a log replayed from a cursor, faults to switch on."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import zstandard
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

V2_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"


def record(text: str, **more: Any) -> dict[str, Any]:
    return {
        "$type": "app.bsky.feed.post",
        "text": text,
        "createdAt": "2026-11-01T05:00:00.000Z",
        "langs": ["en"],
        **more,
    }


def commit(did: str, rkey: str, body: dict[str, Any] | None, operation: str = "create") -> dict[str, Any]:
    """The commit part of an event."""
    part = {"rev": "3l", "operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey}
    return {"did": did, "kind": "commit", "commit": {**part, "record": body} if body else part}


@dataclass
class FakeJetstream:
    """The server. Events are v1 messages; the v2 wire is made from them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str | bytes] = field(default_factory=list)  # sent as they are on connecting, before any event
    oldest: int = 0  # events before this index are forgotten
    down: int = 0  # refuse connections with this status
    refusal: str = ""  # the body of that refusal
    silent: bool = False  # connect, but send nothing
    seq_base: int = 0  # of this instance's sequence numbers
    dictionary: zstandard.ZstdCompressionDict | None = None
    requests: list[str] = field(default_factory=list)
    port: int = 0
    opened: int = 0  # connections, ever
    _sockets: set[ServerConnection] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closing: bool = False

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def publish(self, event: dict[str, Any], time_us: int | None = None) -> int:
        """Append an event; returns its time."""
        with self._changed:
            last = self.events[-1]["time_us"] if self.events else 0
            event["time_us"] = time_us or max(time.time_ns() // 1000, last + 1)
            self.events.append(event)
            self._changed.notify_all()
            return int(event["time_us"])

    def send(self, data: str | bytes) -> None:
        """Send something to everyone that is connected now."""
        for socket in list(self._sockets):
            socket.send(data)

    def disconnect(self, code: int = 1011) -> None:
        """Close every connection."""
        for socket in list(self._sockets):
            socket.close(code)

    @property
    def connected(self) -> int:
        return len(self._sockets)

    def _request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request.path)
        if self.down:
            return Response(
                self.down, "refused", Headers({"Content-Length": str(len(self.refusal))}), self.refusal.encode()
            )
        cursor = self._cursor(request.path)
        second = request.path.startswith(V2_PATH)
        if second and cursor and cursor < 10**15 and not self.seq_base + self.oldest < cursor:
            body = b'{"error":"CursorTooOld","message":"below the floor"}'
            return Response(400, "Bad Request", Headers({"Content-Length": str(len(body))}), body)
        return None

    @staticmethod
    def _cursor(path: str) -> int:
        return int(parse_qs(urlsplit(path).query).get("cursor", ["0"])[0])

    def _serve(self, socket: ServerConnection) -> None:
        path = socket.request.path  # type: ignore[union-attr]
        second, cursor = path.startswith(V2_PATH), self._cursor(path)
        self._sockets.add(socket)
        self.opened += 1
        try:
            for data in self.raw:
                socket.send(data)
            at = self._start(cursor)
            if second and cursor >= 10**15 and self.oldest and at == self.oldest:
                info = {"$type": "network.bsky.jetstream.subscribeEvents#info", "name": "OutdatedCursor"}
                socket.send(json.dumps({"$type": "message", "payload": info}))
            while not self._closing:
                with self._changed:
                    self._changed.wait_for(lambda at=at: len(self.events) > at or self._closing, timeout=0.2)
                    fresh = [] if self.silent else self.events[at:]
                for event in fresh:
                    at += 1
                    self._send(socket, self._v2(event, at) if second else event)
                if not fresh:
                    socket.ping()
        except ConnectionClosed:
            pass
        finally:
            self._sockets.discard(socket)

    def _start(self, cursor: int) -> int:
        if not cursor:
            return len(self.events)
        if cursor < 10**15 and not cursor > 10**14:
            return max(cursor - self.seq_base - 1, self.oldest)
        later = (n for n, event in enumerate(self.events) if event["time_us"] >= cursor)
        return max(next(later, len(self.events)), self.oldest)

    def _v2(self, event: dict[str, Any], number: int) -> dict[str, Any]:
        at = event["time_us"]
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 10**6)) + f".{at % 10**6:06d}Z"
        kind = event["kind"]
        base = {"did": event["did"], "seq": self.seq_base + number, "time": stamp, "witnessedAt": stamp}
        payload = {**base, **event["commit"]} if kind == "commit" else {**base, kind: event.get(kind)}
        payload["$type"] = f"network.bsky.jetstream.subscribeEvents#{kind}"
        return {"$type": "message", "payload": payload}

    def _send(self, socket: ServerConnection, message: dict[str, Any]) -> None:
        text = json.dumps(message)
        if self.dictionary is None:
            socket.send(text)
        else:
            socket.send(zstandard.ZstdCompressor(dict_data=self.dictionary).compress(text.encode()))


@contextmanager
def fake_jetstream(**options: Any) -> Iterator[FakeJetstream]:
    """A running server on a free port."""
    fake = FakeJetstream(**options)
    subprotocols: Any = ["xrpc.v1.json"]

    def choose(_: ServerConnection, offered: Any) -> Any:
        return "xrpc.v1.json" if subprotocols[0] in offered else None

    with serve(
        fake._serve, "127.0.0.1", 0, process_request=fake._request, select_subprotocol=choose, close_timeout=0.2
    ) as server:
        fake.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            fake._closing = True
            fake.disconnect()
            server.shutdown()
            thread.join()
