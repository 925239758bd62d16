"""Where Trino calls back: decisions and the metastore, on loopback, below a path that only Trino knows."""

import hmac
import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from localaws.core.cloud import AwsError
from localaws.services.athena.execution.trino.decisions import Decisions, Denied
from localaws.services.athena.execution.trino.metastore import Metastore

_LONGEST = 64 << 20  # bytes of a request


class Callbacks:
    """The listener. It answers from when it is made until `close`."""

    def __init__(self, decisions: Decisions, metastore: Metastore) -> None:
        self.secret = secrets.token_urlsafe(32)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.callbacks = self
        self.decisions = decisions
        self.metastore = metastore
        threading.Thread(target=self._server.serve_forever, name="trino-callbacks", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/{self.secret}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    callbacks: Callbacks


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_POST(self) -> None:
        callbacks = cast(_Server, self.server).callbacks
        length = int(self.headers.get("Content-Length") or 0)
        secret, _, target = self.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(secret.encode(), callbacks.secret.encode()) or not 0 <= length <= _LONGEST:
            self.close_connection = True
            self._send(403, b"")
            return
        body = self.rfile.read(length)
        if target.startswith("decisions"):
            self._decide(callbacks.decisions, body)
        else:
            self._call(callbacks.metastore, body)

    def _decide(self, decisions: Decisions, body: bytes) -> None:
        try:
            self._send(200, decisions.decide(body.decode()).encode())
        except Denied as error:
            self._send(403, str(error).encode())

    def _call(self, metastore: Metastore, body: bytes) -> None:
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            self._send(200, json.dumps(metastore.answer(action, body)).encode())
        except AwsError as error:
            code = "AccessDeniedException" if error.code == "AccessDenied" else error.code
            self._send(400, json.dumps({"__type": code, "message": error.message}).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The path holds the secret: nothing of it is logged."""
