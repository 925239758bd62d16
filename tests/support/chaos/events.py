"""The story that a storm must not change: generated events, what must arrive of them, and what did."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.streaming.streamers import record

Line = dict[str, Any]
Key = tuple[str, str, str]


@dataclass
class Arrived:
    """What the lake would hold: ids after de-duplication, and the final count of each author's minute."""

    posts: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    edits: set[str] = field(default_factory=set)
    likes: set[str] = field(default_factory=set)
    windows: dict[Key, int] = field(default_factory=dict)
    lines: int = 0

    def take(self, stream: str, data: bytes) -> None:
        for line in data.splitlines():
            one = orjson.loads(line)
            if stream.endswith("-posts"):
                self.lines += 1
                kinds = {"post": self.posts, "delete": self.deletes, "edit": self.edits, "like": self.likes}
                kinds[one["kind"]].add(one["post_id"])
            elif one["kind"] == "tumbling" and one["final"]:
                key = (one["network"], one["author_id"], one["window_start"])
                self.windows[key] = max(self.windows.get(key, 0), one["posts"])


@dataclass
class ArrivedOfEach:
    """The same of several collectors, told apart by what their lines say."""

    of: dict[str, Arrived]

    def take(self, stream: str, data: bytes) -> None:
        lines: dict[str, list[bytes]] = {}
        for line in data.splitlines():
            lines.setdefault(orjson.loads(line)["collector"], []).append(line)
        for collector, own in lines.items():
            self.of[collector].take(stream, b"\n".join(own))


def events(number: int, seed: int) -> Iterator[Line]:
    """Posts in about the order of time, with late ones, duplicates, edits and deletes among them. `number` lines."""
    draw = random.Random(seed)
    made = 0
    for line in range(number):
        kind = draw.random()
        if made > 100 and kind < 0.02:
            yield _record(draw.randrange(made - 100, made), 0)  # told again below, with its own author and time
        elif made > 100 and kind < 0.04:
            yield {"kind": "delete", "network": "x", "post_id": str(draw.randrange(made))}
        else:
            late = draw.uniform(30, 1800) if draw.random() < 0.02 else draw.uniform(0, 3)
            yield _record(made, int(draw.paretovariate(0.6)) % 5000, line / 50 - late)
            made += 1


def _record(number: int, author: int, seconds: float = 0.0) -> Line:
    """A post whose author has an id as on X, where ids are numbers."""
    return record(number, author=author, author_id=str(author), seconds=seconds)


def repeated(lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines; a post that comes again is the same post."""
    newest: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["kind"] != "post":
            yield line
        else:
            yield newest.setdefault(line["post_id"], line)
            if len(newest) > 1000:
                del newest[next(iter(newest))]


def model(lines: Iterable[Line]) -> Arrived:
    """What must arrive: counted from the input in the plainest way."""
    found = Arrived()
    for line in lines:
        found.lines += 1
        if line["kind"] == "delete":
            found.deletes.add(line["post_id"])
        elif line["kind"] == "like":
            found.likes.add(line["post_id"])
        elif line["post_id"] not in found.posts:
            found.posts.add(line["post_id"])
            key = (line["network"], line["author_id"], f"{line['posted_at'][:16]}:00.000Z")
            found.windows[key] = found.windows.get(key, 0) + 1
    return found


def told(number: int, seed: int) -> Iterator[Line]:
    """The story: `number` lines, in which a post that comes again is the same post."""
    return repeated(events(number, seed))
