"""What the fake HTTP services share: a threading server on a free port, JSON answers, chunked streams."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1; `server.fake` is the service."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def answer(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")

    def begin_chunks(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


class Feed:
    """What every open stream of a service is sent: data as it is published, keep-alives in between."""

    def __init__(self, keep_alive: bytes) -> None:
        self.keep_alive, self.every = keep_alive, 0.1
        self.silent = False
        self.opened = 0  # streams, ever
        self._sent: list[bytes] = []
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    @property
    def connected(self) -> int:
        return len(self._open)

    def publish(self, data: bytes) -> None:
        with self._changed:
            self._sent.append(data)
            self._changed.notify_all()

    def disconnect(self) -> None:
        """Cut every open stream in the middle."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(self, handler: Handler, content_type: str) -> None:
        """Send what is published from now on, until the client goes or is cut off."""
        handler.begin_chunks(content_type)
        handler.close_connection = True
        at = len(self._sent)
        self._open.add(handler.connection)
        self.opened += 1
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda at=at: len(self._sent) > at, timeout=self.every)
                    fresh = self._sent[at:]
                at += len(fresh)
                for data in fresh:
                    handler.chunk(data)
                if not fresh and not self.silent:
                    handler.chunk(self.keep_alive)
                if self.silent and handler.connection.fileno() < 0:
                    return
        except OSError:
            return
        finally:
            self._open.discard(handler.connection)


@contextmanager
def serving(fake: Any, handler: type[Handler], feed: Feed | None) -> Iterator[str]:
    """The service's URL while it runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.fake = fake  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        if feed is not None:
            feed.silent = False
            feed.disconnect()
        server.shutdown()
        server.server_close()
        thread.join()
