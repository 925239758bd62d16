"""X's API on loopback: rules, the filtered stream with keep-alives, recent search, connections, and faults."""

import json
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes.http_server import Feed, Handler, Memory, serving

TOKEN = "token-that-must-stay-secret"
TOO_MANY = {
    "title": "ConnectionException",
    "detail": "This stream is currently at the maximum allowed connection limit.",
    "connection_issue": "TooManyConnections",
    "type": "https://api.x.com/2/problems/streaming-connection",
}
_TRENDS = "/2/trends/by/woeid/"
OPERATIONAL = {
    "title": "operational-disconnect",
    "disconnect_type": "UpstreamOperationalDisconnect",
    "detail": "This stream has been disconnected upstream for operational reasons.",
    "type": "https://api.x.com/2/problems/operational-disconnect",
}


def post(number: int | str, author: str = "7", **more: Any) -> dict[str, Any]:
    """A stream object: one generated post and its author."""
    data = {"id": str(number), "author_id": author, "created_at": "2026-11-01T05:00:00.000Z", "text": f"post {number}"}
    users = [{"id": author, "username": f"user{author}", "name": f"User {author}"}]
    return {"data": {**data, **more}, "includes": {"users": users}, "matching_rules": [{"id": "1"}]}


@dataclass
class FakeX:
    """The service's state and its switches."""

    url: str = ""
    feed: Feed = field(default_factory=lambda: Feed(b"\r\n"))
    rules: list[dict[str, str]] = field(default_factory=list)
    invalid: str = "lang:xx"  # a rule that holds this is refused
    refuse: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # answers to the next connections
    zombies: int = 0  # while there are any, the stream answers 429
    found: list[dict[str, Any]] = field(
        default_factory=list
    )  # stream objects that recent search finds, whatever the span
    page: bytes = b""  # what somebody else answers for the rules
    gone: dict[str, str] = field(default_factory=dict)  # ids that nobody may see any more: the problem's type
    trouble: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # answers to the next questions
    trouble_later: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)  # after the next lookup of posts
    memory: Memory | None = None  # then it finds what was published in the span instead, by the second
    connects: int = 0  # in a quarter of an hour; more are answered with 429. 0: any number
    searches: int = 0
    too_many: Counter[str] = field(default_factory=Counter)  # what was refused for that
    trends: dict[int, Any] = field(default_factory=dict)  # by place, what is answered; an int is a status
    calls: list[tuple[str, str]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)  # of compliance
    uploads: dict[str, list[str]] = field(default_factory=dict)  # ids by job
    results: list[str] = field(default_factory=list)  # lines that a complete job has, besides those of `gone`
    job_statuses: list[str] = field(default_factory=list)  # what the next looks at a job with ids say; then complete
    leaked: int = 0  # requests of signed addresses that showed the token
    paid: Counter[str] = field(default_factory=Counter)  # ids of posts that a lookup was answered with
    search_queries: list[dict[str, list[str]]] = field(default_factory=list)
    rule_changes: list[tuple[bool, dict[str, Any]]] = field(default_factory=list)
    stream_query: dict[str, list[str]] = field(default_factory=dict)
    _times: dict[str, deque[float]] = field(default_factory=dict)

    def publish(self, message: dict[str, Any] | bytes) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\r\n"
        if isinstance(message, dict):
            self.remember(data)
        self.feed.publish(data)

    def remember(self, data: bytes) -> None:
        """Published now, whether or not anybody was there to hear it."""
        if self.memory is not None:
            self.memory.add(time.time_ns() // 10**6, data)

    def allowed(self, what: str, calls: int) -> float:
        """0, or when the next of so many calls in a quarter of an hour may come."""
        now, times = time.time(), self._times.setdefault(what, deque())
        while times and times[0] <= now - 900:
            times.popleft()
        times.append(now)
        if not calls or len(times) <= calls:
            return 0.0
        self.too_many[what] += 1
        return times[0] + 900

    def count(self, method: str, path: str) -> int:
        return self.calls.count((method, path))


class _XHandler(Handler):
    routes: ClassVar[dict[tuple[str, str], str]] = {
        ("GET", "/2/tweets/search/stream"): "stream",
        ("GET", "/2/tweets/search/stream/rules"): "get_rules",
        ("POST", "/2/tweets/search/stream/rules"): "change_rules",
        ("GET", "/2/tweets/search/recent"): "search",
        ("GET", "/2/tweets/sample/stream"): "stream",
        ("GET", "/2/tweets"): "posts",
        ("GET", "/2/tweets/counts/recent"): "counts",
        ("GET", "/2/users/by"): "users",
        ("GET", "/2/connections"): "connections",
        ("DELETE", "/2/connections/all"): "end_connections",
    }

    @property
    def fake(self) -> FakeX:
        return self.server.fake  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        self.fake.calls.append((self.command, parts.path))
        if parts.path.startswith("/signed/"):
            self.signed(parts.path)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401, {"title": "Unauthorized", "detail": "Unauthorized"})
            return
        if parts.path.startswith(_TRENDS):
            self.place(int(parts.path.removeprefix(_TRENDS)))
            return
        if parts.path.startswith("/2/compliance/jobs"):
            self.compliance(parts.path)
            return
        timeline = parts.path.startswith("/2/users/") and parts.path.endswith("/tweets")
        getattr(self, "timeline" if timeline else self.routes[self.command, parts.path])()

    do_POST = do_DELETE = do_PUT = do_GET

    def stream(self) -> None:
        self.fake.stream_query = self.query
        if reset := self.fake.allowed("connects", self.fake.connects):
            self.answer(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": str(int(reset))})
        elif self.fake.refuse:
            self.answer(*self.fake.refuse.pop(0))
        elif self.fake.zombies:
            self.answer(429, TOO_MANY)
        else:
            self.fake.feed.serve(self, "application/json")

    def get_rules(self) -> None:
        if self.fake.page:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.fake.page)))
            self.end_headers()
            self.wfile.write(self.fake.page)
            return
        self.answer(200, {"data": self.fake.rules, "meta": {}} if self.fake.rules else {"meta": {}})

    def change_rules(self) -> None:
        body, dry = self.body(), self.query.get("dry_run") == ["True"] or self.query.get("dry_run") == ["true"]
        self.fake.rule_changes.append((dry, body))
        bad = [rule for rule in body.get("add", []) if self.fake.invalid in rule["value"]]
        if bad:
            self.answer(200, {"errors": [{"value": bad[0]["value"], "details": ["no such language"]}]})
            return
        if not dry:
            gone = body.get("delete", {}).get("ids", [])
            self.fake.rules = [rule for rule in self.fake.rules if rule["id"] not in gone]
            self.fake.rules += [
                {"id": f"r{len(self.fake.rule_changes)}{n}", **r} for n, r in enumerate(body.get("add", []))
            ]
        self.answer(201, {"meta": {}})

    def posts(self) -> None:
        if self.fake.trouble:
            self.answer(*self.fake.trouble.pop(0))
            return
        asked = self.query["ids"][0].split(",")
        found = [one for one in self.fake.found if one["data"]["id"] in asked]
        self.fake.trouble += self.fake.trouble_later
        self.fake.trouble_later = []
        self.fake.paid.update(one["data"]["id"] for one in found)
        base = {"resource_type": "tweet", "parameter": "ids", "title": "Not Found Error"}
        problems = [
            {
                **base,
                "type": f"https://api.twitter.com/2/problems/{self.fake.gone[one]}",
                "value": one,
                "resource_id": one,
            }
            for one in asked
            if one in self.fake.gone
        ]
        body = {"data": [one["data"] for one in found], "errors": problems}
        self.answer(200, {name: value for name, value in body.items() if value})

    def compliance(self, path: str) -> None:
        """Create a job, or say how one stands: its ids are looked at when they are there."""
        if self.command == "POST":
            number = str(1000 + len(self.fake.jobs))
            urls = {name: f"{self.fake.url}/signed/{number}/{name}?signature=secret" for name in ("upload", "download")}
            job = {"id": number, "status": "created", **self.body()}
            self.fake.jobs.append({**job, "upload_url": urls["upload"], "download_url": urls["download"]})
            self.answer(200, {"data": self.fake.jobs[-1]})
            return
        job = next(job for job in self.fake.jobs if path.endswith(f"/{job['id']}"))
        if job["id"] in self.fake.uploads:
            job["status"] = self.fake.job_statuses.pop(0) if self.fake.job_statuses else "complete"
        self.answer(200, {"data": job})

    def signed(self, path: str) -> None:
        _, _, number, name = path.split("/")
        self.fake.leaked += "Authorization" in self.headers
        if name == "upload":
            length = int(self.headers["Content-Length"])
            self.fake.uploads[number] = self.rfile.read(length).decode().split()
            self.answer(200)
            return
        gone = [post_id for post_id in self.fake.uploads[number] if post_id in self.fake.gone]
        lines = [json.dumps({"id": post_id, "action": "delete", "reason": "deleted"}) for post_id in gone]
        data = "".join(f"{line}\n" for line in [*lines, *self.fake.results]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def counts(self) -> None:
        """The found posts by day, one day a page."""
        days = Counter(one["data"]["created_at"][:10] for one in self.fake.found)
        start = int(self.query.get("next_token", ["0"])[0])
        data = [
            {"start": f"{day}T00:00:00.000Z", "end": f"{day}T23:59:59.999Z", "tweet_count": number}
            for day, number in sorted(days.items())[start : start + 1]
        ]
        meta: dict[str, Any] = {"total_tweet_count": sum(row["tweet_count"] for row in data)}
        if start + 1 < len(days):
            meta["next_token"] = str(start + 1)
        self.fake.search_queries.append(self.query)
        self.answer(200, {"data": data, "meta": meta})

    def users(self) -> None:
        asked = self.query["usernames"][0].split(",")
        users = {user["username"]: user for one in self.fake.found for user in one["includes"]["users"]}
        self.answer(200, {"data": [users[one] for one in asked if one in users]})

    def timeline(self) -> None:
        self.fake.search_queries.append(self.query)
        user = urlsplit(self.path).path.split("/")[3]
        size, start = int(self.query["max_results"][0]), int(self.query.get("pagination_token", ["0"])[0])
        found = [one["data"] for one in self.fake.found if one["data"]["author_id"] == user]
        meta = {"next_token": str(start + size)} if start + size < len(found) else {}
        self.answer(200, {"data": found[start : start + size], "meta": meta})

    def search(self) -> None:
        self.fake.search_queries.append(self.query)
        if self.fake.trouble:
            self.answer(*self.fake.trouble.pop(0))
            return
        if reset := self.fake.allowed("searches", self.fake.searches):
            self.answer(429, {"title": "Too Many Requests"}, {"x-rate-limit-reset": str(int(reset))})
            return
        size, start = int(self.query["max_results"][0]), int(self.query.get("next_token", ["0"])[0])
        found: Sequence[Any] = self.fake.found
        memory = self.fake.memory
        if memory is not None:
            since, until = (_second(self.query[name][0]) for name in ("start_time", "end_time"))
            found = memory.between(since * 1000, until * 1000)[::-1]  # newest first
        page = found[start : start + size]
        if memory is not None:
            page = [json.loads(body) for body in memory.bodies(page)]
        body: dict[str, Any] = {"meta": {"result_count": len(page)}}
        if page:
            body["data"] = [one["data"] for one in page]
            body["includes"] = {"users": [user for one in page for user in one["includes"]["users"]]}
        if start + size < len(found):
            body["meta"]["next_token"] = str(start + size)
        self.answer(200, body)

    def place(self, woeid: int) -> None:
        told = self.fake.trends.get(woeid, 404)
        if isinstance(told, int):
            self.answer(told, {"title": "no"}, {"x-rate-limit-reset": "1790000000"})
        else:
            self.answer(200, told)

    def connections(self) -> None:
        one = {"endpoint_name": "filtered_stream", "connected_at": "2026-11-01T05:00:00.000Z"}
        self.answer(200, {"data": [one] * self.fake.zombies, "meta": {"result_count": self.fake.zombies}})

    def end_connections(self) -> None:
        self.fake.zombies = 0
        self.answer(200, {"data": {"successful_kills": 1}})


def _second(text: str) -> int:
    """A parameter's time: X cuts it to the second."""
    return int(datetime.fromisoformat(text).timestamp())


@contextmanager
def fake_x(**options: Any) -> Iterator[FakeX]:
    """X on a free port."""
    fake = FakeX(**options)
    with serving(fake, _XHandler, fake.feed) as url:
        fake.url = url
        yield fake
