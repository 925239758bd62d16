"""A Mastodon instance on loopback: server-sent events with heartbeats, timelines by `min_id`, and faults."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes.http_server import Feed, Handler, Memory, serving

TOKEN = "token-that-must-stay-secret"


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
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
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
