"""What the fake HTTP services share: a threading server on a free port, JSON answers, chunked streams."""

import json
import os
import socket
import sys
import tempfile
import threading
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1; `server.fake` is the service."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are written one after the other

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
        self.written = 0  # bytes that clients took, or their systems for them
        self._open: dict[socket.socket, list[bytes]] = {}  # what each was not sent yet
        self._changed = threading.Condition()

    @property
    def connected(self) -> int:
        return len(self._open)

    @property
    def behind(self) -> int:
        """How many pieces the slowest stream was not sent yet."""
        with self._changed:
            return max(map(len, self._open.values()), default=0)

    def publish(self, *data: bytes) -> None:
        with self._changed:
            for waiting in self._open.values():
                waiting.extend(data)
            self._changed.notify_all()

    def disconnect(self) -> None:
        """Cut every open stream in the middle."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def serve(self, handler: Handler, content_type: str) -> None:
        """Send what is published from now on, until the client goes or is cut off."""
        waiting: list[bytes] = []
        with self._changed:
            self._open[handler.connection] = waiting
            self.opened += 1
        try:
            handler.begin_chunks(content_type)
            handler.close_connection = True
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: waiting, timeout=self.every)
                    fresh = waiting.copy()
                    waiting.clear()
                if fresh:
                    handler.chunk(b"".join(fresh))
                    self.written += sum(map(len, fresh))
                elif not self.silent:
                    handler.chunk(self.keep_alive)
                if self.silent and handler.connection.fileno() < 0:
                    return
        except OSError:
            return
        finally:
            with self._changed:
                del self._open[handler.connection]


class Memory:
    """What a service remembers of what was published, by a key that only grows; on disk, so that there may be much."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  open as long as this object lives
        weakref.finalize(self, self._file.close)
        self._keys, self._ends = array("Q"), array("Q", [0])
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: int, body: bytes) -> None:
        with self._lock:
            os.pwrite(self._file.fileno(), body, self._ends[-1])
            self._ends.append(self._ends[-1] + len(body))
            self._keys.append(max(key, self._keys[-1] if self._keys else 0))

    def between(self, first: int, last: int) -> range:
        """The numbers of what has a key from `first` up to `last`, which is excluded."""
        with self._lock:
            return range(bisect_left(self._keys, first), bisect_left(self._keys, last))

    def bodies(self, numbers: Iterable[int]) -> list[bytes]:
        def read(number: int) -> bytes:
            start = self._ends[number]
            return os.pread(self._file.fileno(), self._ends[number + 1] - start, start)

        return [read(number) for number in numbers]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed leaves a broken connection, which is nobody's fault; all else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(fake: Any, handler: type[Handler], feed: Feed | None) -> Iterator[str]:
    """The service's URL while it runs."""
    server = _Server(("127.0.0.1", 0), handler)
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
