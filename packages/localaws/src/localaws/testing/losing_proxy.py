"""An HTTP proxy on loopback that lets a server handle requests and then loses the responses."""

import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_READS = ("Describe", "Get", "Head", "List")
_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")


@dataclass(frozen=True)
class Exchange:
    """A request that was handled, and the status of its response; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def invocation(self) -> str:
        """The id that an SDK gives to all attempts at one call."""
        return self.headers.get("amz-sdk-invocation-id", "")

    @property
    def reads(self) -> bool:
        """Whether the call, by its name or its method, changes nothing."""
        form = re.search(rb"(?:^|&)Action=(\w+)", self.body)
        action = form[1].decode() if form else self.headers.get("x-amz-target", "").rpartition(".")[2]
        return action.startswith(_READS) if action else self.method in ("GET", "HEAD")


class LosingProxy(ThreadingHTTPServer):
    """Forwards to a port; where `lose` says so of an exchange, the connection is cut instead of a response."""

    daemon_threads = True

    def __init__(self, target: int, lose: Callable[[Exchange], bool]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.lose = lose
        self.lost: list[Exchange] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LosingProxy

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def _forward(self) -> None:
        body = self._body()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.target)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, text in self.headers.items():
                if name.lower() not in (*_HOP_BY_HOP, "expect"):
                    connection.putheader(name, text)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        headers = {name.lower(): text for name, text in self.headers.items()}
        exchange = Exchange(self.command, self.path, headers, body, response.status)
        if self.server.lose(exchange):
            self.server.lost.append(exchange)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._relay(response, content)

    def _relay(self, response: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response_only(response.status, response.reason)
        length = str(len(content))
        if self.command == "HEAD":
            length = response.headers.get("Content-Length", "0")
        for name, text in response.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, text)
        if response.status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return b"".join(chunks)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _forward


@contextmanager
def losing_proxy(target: int, lose: Callable[[Exchange], bool]) -> Iterator[LosingProxy]:
    """A running proxy in front of a port of this machine; stopped on leaving."""
    proxy = LosingProxy(target, lose)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()


def first_attempts() -> Callable[[Exchange], bool]:
    """Loses the response of the first attempt at each call that changes something, if it was a success."""
    seen: set[str] = set()

    def lose(exchange: Exchange) -> bool:
        again = exchange.invocation in seen
        seen.add(exchange.invocation)
        return bool(exchange.invocation) and not again and exchange.status < 300 and not exchange.reads

    return lose
