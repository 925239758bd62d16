"""A Mastodon instance on loopback: server-sent events with heartbeats, timelines by `min_id`, and faults."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.fakes.http_server import Feed, Handler, Memory, serving

TOKEN = "token-that-must-stay-secret"
APP_SECRET = "secret-of-the-app"


def status(number: int | str, account: str = "7", content: str | None = None, **more: Any) -> dict[str, Any]:
    """A generated status."""
    return {
        "id": str(number),
        "created_at": "2026-11-01T05:00:00.000Z",
        "content": content or f"<p>post {number}</p>",
        "language": "en",
        "account": {"id": account, "acct": f"user{account}", "display_name": f"User {account}"},
        "tags": [],
        "mentions": [],
        "in_reply_to_id": None,
        "reblog": None,
        **more,
    }


@dataclass
class FakeMastodon:
    """The instance's state and its switches."""

    url: str = ""
    feed: Feed = field(default_factory=lambda: Feed(b":thump\n"))
    streaming: Any = ""  # another host to stream from
    description: Any = None  # what it says of itself instead
    statuses: list[dict[str, Any]] = field(default_factory=list)  # what the timeline shows
    memory: Memory | None = None  # what it shows instead, by id
    refuse: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # answers to the next stream requests
    throttle: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # the same of timelines
    calls: list[str] = field(default_factory=list)
    queries: list[dict[str, list[str]]] = field(default_factory=list)
    declines: bool = False  # the user does not approve the app
    granted: dict[str, dict[str, str]] = field(default_factory=dict)  # codes, with the request that each answers

    def publish(self, body: dict[str, Any], event: str = "update") -> None:
        """A status that is posted now."""
        if event == "update":
            self.statuses.append(body)
        self.send(event, json.dumps(body))

    def send(self, event: str, data: str) -> None:
        self.feed.publish(f"event: {event}\ndata: {data}\n\n".encode())

    def count(self, start: str) -> int:
        return sum(path.startswith(start) for path in self.calls)


class _MastodonHandler(Handler):
    @property
    def fake(self) -> FakeMastodon:
        return self.server.fake  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.fake.calls.append(parts.path)
        if parts.path == "/oauth/authorize":
            self._authorize({key: values[0] for key, values in parse_qs(parts.query).items()})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"error": "The access token is invalid"})
        elif parts.path == "/api/v2/instance":
            self.answer(
                200,
                self.fake.description
                or {
                    "configuration": {"urls": {"streaming": self.fake.streaming or self.fake.url.replace("http", "ws")}}
                },
            )
        elif parts.path.startswith("/api/v1/streaming/"):
            if self.fake.refuse:
                self.answer(*self.fake.refuse.pop(0))
            else:
                self.fake.feed.serve(self, "text/event-stream")
        elif parts.path.startswith("/api/v1/timelines/"):
            self._timeline(parse_qs(parts.query))
        else:
            self.answer(404, {"error": "Record not found"})

    def do_POST(self) -> None:
        form = {key: values[0] for key, values in parse_qs(self.rfile.read(self.length).decode()).items()}
        self.fake.calls.append(self.path)
        if self.path == "/api/v1/apps":
            self.answer(200, {"client_id": "app", "client_secret": APP_SECRET, "redirect_uri": form["redirect_uris"]})
        elif self.path == "/oauth/token" and self._proves(form):
            self.answer(200, {"access_token": TOKEN, "token_type": "Bearer", "scope": form["scope"]})
        else:
            self.answer(400, {"error": "invalid_grant"})

    @property
    def length(self) -> int:
        return int(self.headers.get("Content-Length", 0))

    def _authorize(self, query: dict[str, str]) -> None:
        """The page on which the user approves, who does so at once."""
        code = secrets.token_urlsafe(8)
        self.fake.granted[code] = query
        if query["redirect_uri"].startswith("urn:"):
            self.answer(200, {"code": code})
            return
        answer = {"error": "access_denied"} if self.fake.declines else {"code": code}
        location = f"{query['redirect_uri']}?{urlencode({**answer, 'state': query['state']})}"
        self.answer(302, headers={"Location": location})

    def _proves(self, form: dict[str, str]) -> bool:
        """Whether an exchange fits the request that its code answers; a code is good for one (RFC 6749, RFC 7636)."""
        query = self.fake.granted.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return (
            query is not None
            and form["client_secret"] == APP_SECRET
            and form["redirect_uri"] == query["redirect_uri"]
            and query["code_challenge"] == challenge
        )

    def _timeline(self, query: dict[str, list[str]]) -> None:
        self.fake.queries.append(query)
        if self.fake.throttle:
            self.answer(*self.fake.throttle.pop(0))
            return
        after, limit = int(query["min_id"][0]), int(query["limit"][0])
        if self.fake.memory is not None:
            page = self.fake.memory.bodies(self.fake.memory.between(after + 1, 1 << 63)[:limit])
            self.answer(200, [json.loads(body) for body in reversed(page)])
            return
        newer = sorted((one for one in self.fake.statuses if int(one["id"]) > after), key=lambda one: int(one["id"]))
        self.answer(200, newer[:limit][::-1])


@contextmanager
def fake_mastodon(**options: Any) -> Iterator[FakeMastodon]:
    """An instance on a free port."""
    fake = FakeMastodon(**options)
    with serving(fake, _MastodonHandler, fake.feed) as url:
        fake.url = url
        yield fake
