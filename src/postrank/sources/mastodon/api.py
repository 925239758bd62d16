"""The requests to one Mastodon instance: where it streams, and its timelines, page by page."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.options import Secret
from postrank.outbound.connections import http_client
from postrank.posts.times import EPOCH
from postrank.sources.net.named_hosts import UnsafeHost, require_safe

STREAMS = ("public:local", "public", "public:remote")
_REWIND_MS = 5000
REWIND = timedelta(milliseconds=_REWIND_MS)  # statuses are not streamed in the strict order of ids, and clocks differ
_LONGEST_WAIT = 600.0  # seconds, whatever a header says; the limits are those of five minutes
_PAGE = 40  # statuses, the most that a timeline gives


class MastodonRefused(Fatal):
    """An instance will not serve this token or this stream."""

    def __init__(self, host: str, what: str, status: int) -> None:
        hint = {
            401: "the token is not valid: since Mastodon 4.2 streams need a user's token with read:statuses",
            403: "the token lacks the scope read:statuses, or the instance keeps this timeline to itself",
            404: "there is no such thing: is the URL that of a Mastodon instance?",
        }.get(status, "see the instance's documentation")
        super().__init__(f"{host} refuses {what} with {status}: {hint}")
        self.host = host
        self.status = status


class Unavailable(Exception):
    """The instance cannot answer now; `wait` is how many seconds it asks for, 0 for as one likes."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


class Api:
    """One instance with one token. `stream` is one of STREAMS or `hashtag:<tag>`."""

    def __init__(self, url: str, token: Secret, stream: str, streaming_host: str = "") -> None:
        """`streaming_host` (with its port) may be streamed from though it is private or not encrypted."""
        self.url = url.rstrip("/")
        self.stream = stream
        self.host = urlsplit(self.url).netloc
        self._trusted = frozenset({self.host, streaming_host} - {""})
        self._token = token
        self._client = http_client(timeout=20.0, follow_redirects=True, check=self._require_safe)  # of redirects, too

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {"Authorization": f"Bearer {self._token.reveal()}", "User-Agent": "postrank"}

    def stream_url(self) -> str:
        """The URL to stream from, on the host that the instance names. Raises MastodonRefused, Unavailable."""
        body = self._get("/api/v2/instance", {})
        try:
            named = ((body.get("configuration") or {}).get("urls") or {}).get("streaming")
        except AttributeError as error:
            raise Unavailable("/api/v2/instance: no description of an instance") from error
        base = str(named or self.url).rstrip("/")
        base = base.replace("wss://", "https://", 1).replace("ws://", "http://", 1)
        try:
            require_safe(base, self._trusted)
        except UnsafeHost as error:
            hint = "name it as the instance's streaming_host if it is to be streamed from"
            raise Unavailable(f"the instance names a streaming host that is not used: {error}; {hint}") from error
        kind, _, rest = self.stream.partition(":")
        if kind == "hashtag":
            return f"{base}/api/v1/streaming/hashtag?tag={quote(rest)}"
        return f"{base}/api/v1/streaming/public{'/' + rest if rest else ''}"

    def page(self, *, min_id: str) -> list[Document]:
        """The statuses just after an id, oldest first; [] when there are none. Raises MastodonRefused, Unavailable."""
        kind, _, rest = self.stream.partition(":")
        path = f"/api/v1/timelines/tag/{quote(rest)}" if kind == "hashtag" else "/api/v1/timelines/public"
        query = {"limit": str(_PAGE), "min_id": min_id}
        if rest in ("local", "remote") and kind == "public":
            query[rest] = "true"
        statuses = self._get(path, query)
        if not isinstance(statuses, list):
            raise Unavailable(f"{path}: no list of statuses")
        return sorted(
            statuses, key=lambda status: order(str(status.get("id"))) if isinstance(status, dict) else (0, "")
        )

    def refused(self, what: str, status: int, headers: Any) -> MastodonRefused | Unavailable:
        """The error for an answer that is no success."""
        if status in (408, 429) or status >= 500:
            wait = _until_reset(headers) * random.uniform(1.0, 1.1) if status == 429 else 0.0  # noqa: S311 no secret
            return Unavailable(f"{what}: status {status}", wait)
        return MastodonRefused(self.host, what, status)

    def _require_safe(self, request: httpx.Request) -> None:
        require_safe(str(request.url), self._trusted)

    def _get(self, path: str, query: dict[str, str]) -> Any:
        try:
            answer = self._client.get(self.url + path, params=query, headers=self.headers)
            if answer.is_success:
                return orjson.loads(answer.content)
        except UnsafeHost as error:
            raise Unavailable(f"{path}: redirected, which is not followed: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError) as error:
            # Other errors quote the request, its headers among it.
            speaks = isinstance(error, httpx.NetworkError | httpx.TimeoutException | httpx.ProxyError)
            reason = f": {error}" if speaks else ""
            raise Unavailable(f"{path}: {type(error).__name__}{reason}") from error
        raise self.refused(path, answer.status_code, answer.headers)


def order(status_id: str) -> tuple[int, str]:
    """The key by which ids are ordered: they are numbers written as text."""
    return len(status_id), status_id


def before(status_id: str) -> str:
    """An id a few seconds older; ids without a time in them stay as they are."""
    return status_id if written(status_id) is None else str(int(status_id) - (_REWIND_MS << 16))


def first_of(moment: datetime) -> str:
    """The first id that Mastodon can give at a moment."""
    return str(max(round((moment - EPOCH).total_seconds() * 1000), 0) << 16)


def written(status_id: str) -> datetime | None:
    """The moment within an id: the first 48 bits are milliseconds (Mastodon's source, "Snowflake"); others' are not."""
    if not status_id.isdecimal() or not 1 << 50 <= int(status_id) < 1 << 63:
        return None
    return datetime.fromtimestamp((int(status_id) >> 16) / 1000, UTC)


def _until_reset(headers: Any) -> float:
    """Seconds until the limit ends (docs.joinmastodon.org, "Rate limits": X-RateLimit-Reset is an ISO 8601 time)."""
    try:
        if "retry-after" in headers:
            return min(float(headers["retry-after"]), _LONGEST_WAIT)
        reset = datetime.fromisoformat(headers["x-ratelimit-reset"])
        return min(max((reset - datetime.now(UTC)).total_seconds(), 1.0), _LONGEST_WAIT)
    except (KeyError, ValueError, TypeError):
        return 60.0 - time.time() % 60.0
