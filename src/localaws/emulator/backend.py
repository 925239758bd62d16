"""The emulator as a WSGI application in this process, one call at a time."""

import io
import os
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

Answer = tuple[int, dict[str, str], bytes]

# Before moto is imported: it reads these once. Roles may attach AWS's managed policies; states change at once, since
# what makes them take time here is not the emulator.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ACCOUNT_ID", "123456789012")


class Emulator:
    """Answers raw requests. Its backends are not safe to use from two threads, so calls take turns."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._app = DomainDispatcherApplication(create_backend_app)
        self._turn = threading.Lock()

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request; `headers` have lower-case names."""
        environ = _environ(method, path, query, headers, body)
        started: list[Any] = []

        def start_response(status: str, sent: list[tuple[str, str]], _error: object = None) -> None:
            started[:] = [int(status.split(maxsplit=1)[0]), dict(sent)]

        with self._turn:
            chunks = self._app(environ, start_response)
            answer = b"".join(chunks)
        return started[0], started[1], answer


def _environ(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),
        "RAW_URI": quote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, text in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
