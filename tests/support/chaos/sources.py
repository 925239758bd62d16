"""What a storm blows at that can be read again: a replay of files, and a Jetstream behind a proxy that can go wrong."""

import itertools
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.sync.server import ServerConnection, serve

from tests.support.chaos.events import Line, model, told
from tests.support.chaos.feeds import Feeding, earlier, last_line, without_last
from tests.support.fakes.faulty_proxy import faulty_proxy
from tests.support.streaming.streamers import write_lines

_CHUNK = 1 << 16
_LATER_US = 3600 * 10**6
_POSTS = "app.bsky.feed.post"
_LIKES = "app.bsky.feed.like"


@contextmanager
def replay(folder: Path, lines: int, seed: int, _: float) -> Iterator[Feeding]:
    """A file, read from its beginning to its end."""
    file = write_lines(folder / "posts.ndjson", told(lines, seed))
    yield Feeding({"kind": "replay"}, lambda: model(told(lines, seed)), files=[file])


@contextmanager
def jetstream(folder: Path, lines: int, seed: int, _: float, likes: int = 0) -> Iterator[Feeding]:
    """A Jetstream with a long log, which it sends as fast as it is taken, from any cursor.

    Each post has so many `likes`, among which some are withdrawn.
    """

    def story() -> Iterator[Line]:
        posts = _as_bluesky(itertools.chain(told(lines, seed), [last_line(lines)]))
        return _liked(posts, likes) if likes else posts

    log = _Log(folder / "frames")
    log.write(story())
    with serve(log.send, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with faulty_proxy(server.socket.getsockname()[1]) as proxy:
            options: dict[str, Any] = {
                "kind": "bluesky",
                "hosts": [proxy.url.replace("http", "ws")],
                "directory": "none",
            }
            # An event takes 20 us of the server's time: five seconds of it would be a quarter of a million events.
            if likes:
                options["collections"] = [_POSTS, _LIKES]
            quick = {"stall_seconds": 1.0, "clamp_seconds": 1e6, "rewind_seconds": 0.02}
            yield Feeding({**options, **quick}, lambda: without_last(story()), proxy=proxy, opened=lambda: log.opened)
        server.shutdown()
        thread.join()


def jetstream_with_likes(folder: Path, lines: int, seed: int, pace: float) -> AbstractContextManager[Feeding]:
    """The same with three likes for each post."""
    return jetstream(folder, lines, seed, pace, likes=3)


@dataclass
class _Log:
    """The frames of a Jetstream, in a file as they go over the wire, and where each begins."""

    path: Path
    opened: int = 0
    _times: "array[int]" = field(default_factory=lambda: array("Q"))
    _offsets: "array[int]" = field(default_factory=lambda: array("Q"))

    def write(self, lines: Iterable[Line]) -> None:
        first = time.time_ns() // 1000 + _LATER_US  # after whatever cursor a client begins with
        with self.path.open("wb") as file:
            for number, line in enumerate(lines):
                self._times.append(first + 20 * number)
                self._offsets.append(file.tell())
                file.write(_frame(_commit(line, self._times[-1])))

    def send(self, socket: ServerConnection) -> None:
        """Everything from the cursor on, then nothing."""
        assert socket.request
        cursor = int(parse_qs(urlsplit(socket.request.path).query).get("cursor", ["0"])[0])
        number = bisect_left(self._times, cursor)
        self.opened += 1
        with self.path.open("rb") as file:
            file.seek(self._offsets[number] if number < len(self._offsets) else self.path.stat().st_size)
            try:
                while chunk := file.read(_CHUNK):
                    with socket.protocol_mutex:  # whole frames at once: nothing may come in between
                        socket.socket.sendall(chunk)
                socket.recv()  # the client says nothing: this waits until it is gone
            except Exception:
                return


def _as_bluesky(lines: Iterable[Line]) -> Iterator[Line]:
    """The same story on Bluesky: posts have at-URIs, and so a delete names the author."""
    authors: dict[str, str] = {}
    for line in lines:
        author = authors.setdefault(line["post_id"], line.get("author_id", ""))
        did = f"did:plc:{author}"
        uri = f"at://{did}/{_POSTS}/{line['post_id']}"
        if line["kind"] == "delete":
            yield {"kind": "delete", "network": "bluesky", "post_id": uri, "author_id": did}
        else:
            yield earlier({**line, "network": "bluesky", "post_id": uri, "author_id": did})


def _liked(lines: Iterable[Line], likes: int) -> Iterator[Line]:
    """The story, with likes behind its posts; every tenth is withdrawn at once."""
    number = 0
    for line in lines:
        yield line
        for _ in range(likes if line["kind"] == "post" else 0):
            number += 1
            author = f"did:plc:fan{number % 97}"
            like = {"network": "bluesky", "post_id": f"at://{author}/{_LIKES}/{number}", "author_id": author}
            yield {**like, "kind": "like", "like_of": line["post_id"], "posted_at": line["posted_at"]}
            if number % 10 == 0:
                yield {**like, "kind": "delete"}


def _commit(line: Line, time_us: int) -> bytes:
    if _LIKES in line["post_id"]:
        return _like_commit(line, time_us)
    part: dict[str, Any] = {"operation": "create" if line["kind"] == "post" else "delete", "collection": _POSTS}
    part |= {"rev": "3l", "rkey": line["post_id"].rpartition("/")[2]}
    if line["kind"] == "post":
        part["record"] = {"$type": _POSTS, "text": line["text"], "createdAt": line["posted_at"]}
    return orjson.dumps({"did": line["author_id"], "time_us": time_us, "kind": "commit", "commit": part})


def _like_commit(line: Line, time_us: int) -> bytes:
    part: dict[str, Any] = {"operation": "create" if line["kind"] == "like" else "delete", "collection": _LIKES}
    part |= {"rev": "3l", "rkey": line["post_id"].rpartition("/")[2]}
    if line["kind"] == "like":
        subject = {"uri": line["like_of"], "cid": "bafy"}
        part["record"] = {"$type": _LIKES, "subject": subject, "createdAt": line["posted_at"]}
    return orjson.dumps({"did": line["author_id"], "time_us": time_us, "kind": "commit", "commit": part})


def _frame(message: bytes) -> bytes:
    """A text message as a websocket frame of a server (RFC 6455, 5.2)."""
    size = len(message)
    return (b"\x81" + (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big"))) + message
