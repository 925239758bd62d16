"""A stream behind a proxy: through it, around it, and when it says no."""

import base64
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from postrank.sources.net.outbound import tls_context
from postrank.sources.net.receiving import Lost, Stream


class _Origin(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"posts")

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class Proxy(ThreadingHTTPServer):
    """Tunnels, for clients with the password if there is one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.targets: list[str] = []
        self.authorization: str | None = None


class _Tunnel(_Origin):
    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.targets.append(self.path)
        if self.server.authorization not in (None, self.headers["Proxy-Authorization"]):
            self.send_error(407)
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as origin:
            self.send_response(200)
            self.end_headers()
            while ready := select.select([self.connection, origin], [], [], 60)[0]:
                for side in ready:
                    data = side.recv(1 << 16)
                    if not data:
                        return
                    (origin if side is self.connection else self.connection).sendall(data)


@pytest.fixture
def origin() -> Iterator[str]:
    with Serving(ThreadingHTTPServer(("127.0.0.1", 0), _Origin)) as server:
        yield f"http://127.0.0.1:{server.server_port}/stream"


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Serving(Proxy()) as server:
        assert isinstance(server, Proxy)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        yield server


class Serving:
    """Serves in a thread."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever)

    def __enter__(self) -> ThreadingHTTPServer:
        self.thread.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def test_a_stream_goes_through_the_proxy(origin: str, proxy: Proxy) -> None:
    assert Stream(origin, {}, silence=60).take(60) == b"posts"
    assert proxy.targets == [origin.split("/")[2]]


@pytest.mark.parametrize("hosts", ["127.0.0.1", "*", "example.org,127.0.0.1"])
def test_a_host_of_no_proxy_is_reached_directly(
    hosts: str, origin: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", hosts)
    assert Stream(origin, {}, silence=60).take(60) == b"posts"
    assert proxy.targets == []


def test_the_proxys_password_is_sent_and_never_shown(
    origin: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.authorization = f"Basic {base64.b64encode(b'user:p@ss').decode()}"
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@127.0.0.1:{proxy.server_port}")
    assert Stream(origin, {}, silence=60).take(60) == b"posts"
    monkeypatch.setenv("http_proxy", f"http://user:other-secret@127.0.0.1:{proxy.server_port}")
    with pytest.raises(Lost, match="407") as lost:
        Stream(origin, {}, silence=60)
    assert "other-secret" not in str(lost.value)


def test_a_proxy_of_another_kind_is_named_as_the_cause(
    origin: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"socks5://127.0.0.1:{proxy.server_port}")
    with pytest.raises(Lost, match="give HTTPS_PROXY as http://host:port"):
        Stream(origin, {}, silence=60)


def test_the_authorities_of_a_bundle_are_trusted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    certifi = pytest.importorskip("certifi")
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert tls_context().cert_store_stats()["x509_ca"] == 0
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    assert tls_context().cert_store_stats()["x509_ca"] > 10
