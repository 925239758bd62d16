"""One HTTP request as the gateway sees it, and the answer that it gives."""

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote, unquote_to_bytes, urlsplit

from localaws.core.shapes import Structure

_BLOCK = 1 << 20


@dataclass(kw_only=True)
class HttpRequest:
    """A request. `path` is still percent-encoded, header names are in lower case, `stream` can be rewound."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    stream: BinaryIO
    scheme: str = "http"
    address: str = "127.0.0.1"
    authority: str = ""  # host and port of a target in the absolute form, which is sent to proxies

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The decoded query, in order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @cached_property
    def decoded_path(self) -> str:
        return unquote(self.path)

    @cached_property
    def body(self) -> bytes:
        self.stream.seek(0)
        return self.stream.read()

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """The decoded body of a form."""
        return parse_qsl(self.body.decode("utf-8", errors="replace"), keep_blank_values=True)

    @cached_property
    def body_sha256(self) -> str:
        digest = hashlib.sha256()
        self.stream.seek(0)
        while block := self.stream.read(_BLOCK):
            digest.update(block)
        self.stream.seek(0)
        return digest.hexdigest()

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def from_environ(environ: Structure) -> HttpRequest:
    """The request of a WSGI server that keeps the path as it was sent in REQUEST_URI."""
    headers = {
        name[5:].replace("_", "-").lower(): _text(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    uri = str(environ.get("REQUEST_URI") or environ.get("PATH_INFO") or "/")
    authority = ""
    if not uri.startswith("/"):  # the absolute form
        split = urlsplit(uri)
        authority = split.netloc
        uri = split.path or "/"
    return HttpRequest(
        method=environ["REQUEST_METHOD"],
        path=uri.partition("?")[0].partition("#")[0],
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        stream=environ["wsgi.input"],
        scheme=environ.get("wsgi.url_scheme", "http"),
        address=environ.get("REMOTE_ADDR", "127.0.0.1"),
        authority=authority,
    )


def build_request(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> HttpRequest:
    """A request that never was on the wire."""
    return HttpRequest(method=method, path=path, query=query, headers=dict(headers), stream=io.BytesIO(body))


def _text(value: str) -> str:
    """A header that was read as Latin-1 (PEP 3333) but sent as UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def raw(path: str) -> bytes:
    """The bytes that a percent-encoded path stands for."""
    return unquote_to_bytes(path)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A stretch of a file: the body of an answer that is not held in memory, or of an object."""

    path: Path
    start: int
    size: int

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Chunks:
    """The body of an answer that lasts: parts as they come; b"" where a moment has none."""

    parts: Iterator[bytes]


@dataclass(slots=True)
class HttpAnswer:
    """What goes back."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | FilePart | Chunks = b""

    def content(self) -> bytes:
        """The whole body. Raises TypeError for one that comes in chunks."""
        if isinstance(self.body, Chunks):
            raise TypeError("a body that comes in chunks cannot be read at once")
        return self.body.read() if isinstance(self.body, FilePart) else self.body
