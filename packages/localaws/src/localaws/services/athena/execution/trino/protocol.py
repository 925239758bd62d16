"""Trino's client protocol ("Trino client REST API"): post a statement, fetch its pages until none is left."""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from localaws.core.shapes import Document

_SECONDS = 60.0
_RETRIED = (502, 503, 504)
_TOKEN_SECONDS = 300


class TrinoFailed(Exception):
    """A statement that Trino ended. `name` is its error's ("TYPE_MISMATCH"), `kind` USER_ERROR, EXTERNAL, ...;
    `causes` are the messages behind its own.
    """

    def __init__(self, name: str, message: str, kind: str, causes: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.causes = tuple(causes)
        self.name = name
        self.kind = kind


class TrinoGone(Exception):
    """Trino does not answer."""


@dataclass(slots=True)
class Answer:
    """What is known of a statement so far: columns once they are known, statistics of each page."""

    id: str = ""
    columns: list[Document] = field(default_factory=list)
    update_count: int | None = None
    scanned: int = 0  # bytes


class Connection:
    """Statements of one user. `session` are session properties."""

    def __init__(self, port: int, key: bytes, user: str, *, catalog: str, schema: str | None) -> None:
        self._port = port
        self._key = key
        self._user = user
        self._catalog = catalog
        self._schema = schema
        self._next: str | None = None
        self._interrupted = False
        self.answer = Answer()

    def execute(self, sql: str, session: Mapping[str, str] | None = None) -> Iterator[list[list[object]]]:
        """Run a statement; gives its rows page by page. `answer` is filled on the way.

        Raises TrinoFailed, TrinoGone.
        """
        self.answer = Answer()
        headers = {"X-Trino-Catalog": self._catalog, "Content-Type": "text/plain; charset=utf-8"}
        if self._schema:
            headers["X-Trino-Schema"] = self._schema
        if session:
            headers["X-Trino-Session"] = ",".join(f"{name}={value}" for name, value in session.items())
        page = self._ask("POST", "/v1/statement", headers, sql.encode())
        while True:
            rows = self._read(page)
            if rows:
                yield rows
            if self._next is None:
                return
            if self._interrupted:
                self.interrupt()
            page = self._ask("GET", self._next, {}, None)

    def interrupt(self) -> None:
        """Stop the running statement, from any thread."""
        self._interrupted = True
        if (path := self._next) is not None:
            try:
                self._ask("DELETE", path, {}, None)
            except TrinoGone:
                return

    def close(self) -> None:
        """Stop what was not read to its end."""
        if self._next is not None:
            self.interrupt()
            self._next = None

    def _read(self, page: Document) -> list[list[object]]:
        answer = self.answer
        answer.id = page.get("id") or answer.id
        if (columns := page.get("columns")) and not answer.columns:
            answer.columns = columns
        stats = page.get("stats") or {}
        answer.scanned = max(answer.scanned, int(stats.get("physicalInputBytes") or 0))
        if page.get("updateCount") is not None:
            answer.update_count = int(page["updateCount"])
        self._next = _path(page.get("nextUri"))
        if error := page.get("error"):
            self._next = None
            name = str(error.get("errorName") or "GENERIC_INTERNAL_ERROR")
            causes = list(_causes(error.get("failureInfo") or {}))
            raise TrinoFailed(name, str(error.get("message") or ""), str(error.get("errorType") or ""), causes)
        rows: list[list[object]] = page.get("data") or []
        return rows

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Document:
        fixed = {
            "X-Trino-User": self._user,
            "X-Trino-Source": "localaws",
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
            "X-Forwarded-Proto": "https",
            "Authorization": f"Bearer {_token(self._key, self._user)}",
        }
        deadline = time.monotonic() + _SECONDS
        while True:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
            try:
                connection.request(method, path, body, {**fixed, **headers})
                response = connection.getresponse()
                content = response.read()
            except (OSError, HTTPException) as error:
                raise TrinoGone(f"Trino does not answer: {error}") from error
            finally:
                connection.close()
            if response.status in _RETRIED and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            if method == "DELETE" or response.status == 204:
                return {}
            if response.status != 200:
                raise TrinoGone(f"Trino answers {response.status}: {content[:200].decode(errors='replace')}")
            page: Document = json.loads(content)
            return page


def _causes(failure: Document) -> Iterator[str]:
    """The messages of what caused a failure, the nearest first."""
    while failure := failure.get("cause") or {}:
        yield str(failure.get("message") or "")


def _path(uri: str | None) -> str | None:
    """The path of a URI: its host is this machine's, its scheme that of the forwarded header."""
    return urlsplit(uri).path if uri else None


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


_HEADER = _encoded(b'{"alg":"HS256","typ":"JWT"}')


def _token(key: bytes, user: str) -> str:
    """A JSON Web Token (RFC 7519, HS256) that is good for one user and some minutes."""
    claims = {"sub": user, "exp": int(time.time()) + _TOKEN_SECONDS}
    signed = f"{_HEADER}.{_encoded(json.dumps(claims).encode())}"
    return f"{signed}.{_encoded(hmac.new(key, signed.encode(), sha256).digest())}"
