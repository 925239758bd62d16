"""Requests for Bluesky's past: one answer, or why there is none now or never."""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

import httpx
import orjson

from postrank.documents import JsonObject
from postrank.errors import Fatal, Retryable
from postrank.options import Secret
from postrank.outbound.connections import http_client
from postrank.sources import Batch, Cursor
from postrank.sources.net.background import aside
from postrank.sources.net.backoff import Backoff, pause
from postrank.sources.net.gap_recovery import NotAtAll, NotNow, Waiting

_ATTEMPTS = 6
_TIMEOUT = 60.0
_LONGEST = 900.0
_TEXT = 200  # characters of an answer that an error quotes


class PastRefused(Fatal):
    """The network does not give a span, and will not later."""


class PastAway(Retryable):
    """The network gives a span later."""


class Answered(NotAtAll):
    """A refusal by a server that answers: `name` is the error of XRPC."""

    def __init__(self, why: str, status: int, name: str) -> None:
        super().__init__(why)
        self.status = status
        self.name = name


class Pages(Protocol):
    """A past that is read a page at a time."""

    recovered_by: str
    keeps: bool  # whether the JSON of posts is wanted

    def page(self, since: datetime, until: datetime, place: str | None) -> tuple[Batch, str | None]:
        """The page at a place (None: the first), and the next one's place; None behind the last. May block.

        Raises NotNow, NotAtAll.
        """
        ...


@dataclass(slots=True)
class Pager:
    """Pages as the recovery of a stream asks for them."""

    pages: Pages
    recovered_by: str = ""

    def __post_init__(self) -> None:
        self.recovered_by = self.pages.recovered_by

    def due(self) -> float:
        return 0.0

    def ask(self, waiting: Waiting) -> tuple[Batch, str | None]:
        return _page(self.pages, waiting.since, waiting.until, waiting.place)


def read(
    pages: Pages, since: datetime, until: datetime, stopped: threading.Event, place: Cursor | None
) -> Iterator[Batch]:
    """All pages from a place on; the cursor of a batch is the place of the next page. Raises PastRefused, PastAway."""
    while not stopped.is_set():
        page = yield from _patiently(partial(_page, pages, since, until, place), stopped)
        if page is None:
            return
        batch, place = page
        batch.cursor = place
        yield batch
        if place is None:
            return


def _page(pages: Pages, since: datetime, until: datetime, place: str | None) -> tuple[Batch, str | None]:
    """A page. Raises NotNow also for an answer in a form that is not the protocol's."""
    try:
        return pages.page(since, until, place)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotNow(f"an answer that is not of the protocol: {type(error).__name__}: {error}", _LONGEST) from error


def _patiently(
    ask: Callable[[], tuple[Batch, str | None]], stopped: threading.Event
) -> Generator[Batch, None, tuple[Batch, str | None] | None]:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return (yield from aside(ask, stopped, heard=True))
        except NotAtAll as error:
            raise PastRefused(str(error)) from error
        except NotNow as error:
            if attempt == _ATTEMPTS:
                raise PastAway(str(error)) from error
            yield from pause(error.seconds, stopped, heard=True)
    return None


@dataclass(slots=True)
class Requests:
    """Asks servers of XRPC. `check` sees every request before it is sent."""

    check: Callable[[httpx.Request], None] | None = None
    troubled: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=320.0))
    _client: httpx.Client | None = None

    def json(self, url: str, params: Mapping[str, str | int] | None = None) -> JsonObject:
        """The JSON object that a GET is answered with. Raises NotNow, NotAtAll, Answered."""
        return parsed(url, self.body(url, params=params))

    def body(
        self,
        url: str,
        *,
        key: Secret | None = None,
        params: Mapping[str, str | int] | None = None,
        json: JsonObject | None = None,
    ) -> bytes:
        """The body of the answer to a GET, or, with `json`, to a POST. Raises NotNow, NotAtAll, Answered.

        None of them shows the key.
        """
        method = "GET" if json is None else "POST"
        headers = {"Authorization": f"Bearer {key.reveal()}"} if key else {}
        try:
            response = self._connections().request(method, url, headers=headers, params=params, json=json)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotNow(f"{url}: {type(error).__name__}", self.troubled.failed()) from error
        if response.is_success:
            self.troubled.reset()
            return response.content
        why = f"{url} answers {response.status_code}: {response.text[:_TEXT]}"
        if response.status_code in (408, 429) or response.is_server_error:
            raise NotNow(why, max(_requested(response.headers), self.troubled.failed()))
        raise Answered(why, response.status_code, _error_name(response.content))

    def _connections(self) -> httpx.Client:
        if self._client is None:
            self._client = http_client(timeout=_TIMEOUT, follow_redirects=self.check is not None, check=self.check)
        return self._client


def parsed(url: str, body: bytes) -> JsonObject:
    """The JSON object in a body. Raises NotNow: what is between may answer with a page of its own."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotNow(f"{url} does not answer with JSON", 60.0) from error
    if not isinstance(document, dict):
        raise NotNow(f"{url} does not answer with a JSON object", 60.0)
    return document


def _requested(headers: Mapping[str, str]) -> float:
    """Seconds to wait for, as the answer has it (RFC 9110, "Retry-After"; `ratelimit-reset` is an epoch)."""
    try:
        seconds = float(headers.get("retry-after") or float(headers["ratelimit-reset"]) - time.time())
    except (KeyError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), _LONGEST) if math.isfinite(seconds) else 0.0


def _error_name(body: bytes) -> str:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return str(document.get("error", "")) if type(document) is dict else ""
