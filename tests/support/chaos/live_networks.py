"""Networks that tell their story at a pace of their own, whether or not anybody is there to hear it."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.support.chaos.events import Arrived, Line, told
from tests.support.chaos.feeds import Feeding, earlier, last_line, without_last
from tests.support.fakes.faulty_proxy import faulty_proxy
from tests.support.fakes.http_server import Feed, Memory
from tests.support.fakes.mastodon import TOKEN as MASTODON_TOKEN
from tests.support.fakes.mastodon import fake_mastodon
from tests.support.fakes.x import TOKEN as X_TOKEN
from tests.support.fakes.x import FakeX, fake_x

_TICK = 0.02  # seconds between what is told at once
_BEHIND = 20_000  # posts that are on their way: a network tells no more than its connection carries
_MANY = 1_000_000  # connections and searches in a quarter of an hour: the storm's pace is many times the network's


@contextmanager
def x_stream(_: Path, lines: int, seed: int, pace: float) -> Iterator[Feeding]:
    """X's filtered stream, which forgets what nobody is there to hear, and the search that remembers."""
    with (
        fake_x(memory=Memory(), connects=_MANY, searches=_MANY) as server,
        faulty_proxy(int(server.url.rpartition(":")[2])) as proxy,
    ):
        teller = _Teller(lines, seed, pace, server.feed, _x_publisher(server))
        options = {"kind": "x", "host": proxy.url, "bearer_token": X_TOKEN, "rules": [{"value": "cats"}]}
        options |= {
            "daily_budget": 1e6,
            "monthly_budget": 1e6,
            "monthly_posts": 10**9,
            "connects": _MANY,
            "searches": _MANY,
        }
        options |= {"stall_seconds": 1.0, "volume_share": 0.0, "gap_query": "cats"}
        yield Feeding(
            options,
            teller.expected,
            proxy=proxy,
            opened=lambda: server.feed.opened,
            begin=teller.start,
            finish=teller.finish,
            complaints=lambda: server.too_many,
        )
        teller.stop()


def _x_publisher(server: FakeX) -> Callable[[list[Line]], None]:
    fields = {"id": "post_id", "author_id": "author_id", "created_at": "posted_at", "text": "text"}

    def publish(lines: list[Line]) -> None:
        posts = []
        for line in lines:
            user = {"id": line["author_id"], "username": line["author_handle"], "name": "A"}
            data = {name: line[field] for name, field in fields.items()}
            posts.append(orjson.dumps({"data": data, "includes": {"users": [user]}}) + b"\r\n")
            server.remember(posts[-1])
        server.feed.publish(*posts)

    return publish


@contextmanager
def mastodon(_: Path, lines: int, seed: int, pace: float) -> Iterator[Feeding]:
    """An instance's stream, and the timeline that remembers, 40 a page: a tenth of the lines at a tenth of the pace."""
    lines, pace = max(lines // 10, 1), pace / 10
    memory = Memory()
    with (
        fake_mastodon(memory=memory) as server,
        faulty_proxy(int(server.url.rpartition(":")[2])) as proxy,
    ):
        server.streaming = proxy.url
        ids: dict[str, str] = {}  # of the instance, by those of the story

        def publish(some: list[Line]) -> None:
            for line in some:
                if line["post_id"] in ids:  # an instance tells nothing twice
                    continue
                ids[line["post_id"]] = str(((time.time_ns() // 10**6) << 16) + len(ids) % (1 << 16))
                body = orjson.dumps(_status(line, ids[line["post_id"]]))
                memory.add(int(ids[line["post_id"]]), body)
                server.feed.publish(b"event: update\ndata: %b\n\n" % body)

        def known(line: Line) -> Line:
            return {**line, "post_id": ids[line["post_id"]], "network": f"mastodon:{proxy.url[7:]}"}

        teller = _Teller(lines, seed, pace, server.feed, publish, known)
        options = {"kind": "mastodon", "instances": [{"url": proxy.url, "token": MASTODON_TOKEN}]}
        options |= {"stall_seconds": 1.0, "calls": _MANY}
        yield Feeding(
            options,
            teller.expected,
            proxy=proxy,
            opened=lambda: server.feed.opened,
            begin=teller.start,
            finish=teller.finish,
        )
        teller.stop()


def _status(line: Line, number: str) -> dict[str, Any]:
    account = {"id": line["author_id"], "acct": line["author_handle"], "display_name": "A"}
    content = f"<p>{line['text']}</p>"
    return {"id": number, "created_at": line["posted_at"], "content": content, "account": account, "reblog": None}


@dataclass
class _Teller:
    """Publishes the posts of a story (no timeline and no search knows deletes) from `start` on, `pace` in a second."""

    lines: int
    seed: int
    pace: float
    feed: Feed
    publish: Callable[[list[Line]], None]
    known: Callable[[Line], Line] = lambda line: line  # a line as its network has it
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait until all is told, then tell the last event."""
        assert self._thread is not None
        self._thread.join()
        self.publish([self._last()])

    def stop(self) -> None:
        self._stopped.set()

    def expected(self) -> Arrived:
        return without_last(map(self.known, itertools.chain(self._story(), [self._last()])))

    def _story(self) -> Iterator[Line]:
        posts = (earlier(line) for line in told(2 * self.lines, self.seed) if line["kind"] == "post")
        return itertools.islice(posts, self.lines)

    def _last(self) -> Line:
        return earlier(last_line(2 * self.lines))

    def _run(self) -> None:
        story, begun, number = self._story(), time.monotonic(), 0
        while not self._stopped.wait(_TICK):
            due = int((time.monotonic() - begun) * self.pace) - number
            if due <= 0 or self.feed.behind > _BEHIND:
                continue
            some = list(itertools.islice(story, min(due, _BEHIND)))
            if not some:
                return
            self.publish(some)
            number += len(some)
