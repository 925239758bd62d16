"""What a storm blows at: a replay of files; a Jetstream and X's stream, each behind a proxy that can go wrong."""

import itertools
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.sync.server import ServerConnection, serve

from tests.support.chaos_story import Arrived, Line, model, told
from tests.support.fake_x import TOKEN, fake_x
from tests.support.faulty_proxy import FaultyProxy, faulty_proxy
from tests.support.streamers import write_lines

_CHUNK = 1 << 16
_LATER_S = 3600  # by which a last event lies behind all others, so that their windows are final
_POSTS = "app.bsky.feed.post"


@dataclass
class Feeding:
    """A source that is ready to be read."""

    options: dict[str, Any]  # the table [source]
    expected: Callable[[], Arrived]  # what must arrive, once all is told
    files: list[Path] = field(default_factory=list)
    proxy: FaultyProxy | None = (
        None  # in front of the source; None: it cannot be cut off, and comes to an end by itself
    )
    opened: Callable[[], int] = lambda: 0  # connections, ever
    begin: Callable[[], None] = lambda: None  # once the streamer has saved a cursor
    finish: Callable[[], None] = lambda: None  # once the storm is over


@contextmanager
def replay(folder: Path, lines: int, seed: int) -> Iterator[Feeding]:
    """A file, read from its beginning to its end."""
    file = write_lines(folder / "posts.ndjson", told(lines, seed))
    yield Feeding({"kind": "replay"}, lambda: model(told(lines, seed)), files=[file])


@contextmanager
def jetstream(folder: Path, lines: int, seed: int) -> Iterator[Feeding]:
    """A Jetstream with a long log, which it sends as fast as it is taken, from any cursor."""

    def story() -> Iterator[Line]:
        return _as_bluesky(itertools.chain(told(lines, seed), [_last_line(lines)]))

    log = _Log(folder / "frames")
    log.write(story())
    with serve(log.send, "127.0.0.1", 0, compression=None, close_timeout=0.2) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with faulty_proxy(server.socket.getsockname()[1]) as proxy:
            options = {"kind": "bluesky", "hosts": [proxy.url.replace("http", "ws")], "directory": "none"}
            # An event takes 20 us of the server's time: five seconds of it would be a quarter of a million events.
            quick = {"stall_seconds": 1.0, "clamp_seconds": 1e6, "rewind_seconds": 0.02}
            yield Feeding({**options, **quick}, lambda: _without_last(story()), proxy=proxy, opened=lambda: log.opened)
        server.shutdown()
        thread.join()


@contextmanager
def x_stream(_: Path, lines: int, seed: int) -> Iterator[Feeding]:
    """X's filtered stream, which forgets what nobody is there to hear, and the search that remembers."""
    teller = _Teller(lines, seed)
    with fake_x(remembers=True) as server, faulty_proxy(int(server.url.rpartition(":")[2])) as proxy:
        teller.publish = server.publish
        options = {"kind": "x", "host": proxy.url, "bearer_token": TOKEN, "rules": [{"value": "cats"}]}
        money = {"daily_budget": 1e6, "monthly_budget": 1e6}
        quick = {"stall_seconds": 1.0, "volume_share": 0.0, "gap_query": "cats"}
        yield Feeding(
            {**options, **money, **quick},
            teller.expected,
            proxy=proxy,
            opened=lambda: server.feed.opened,
            begin=teller.start,
            finish=teller.finish,
        )
        teller.finish()


@dataclass
class _Log:
    """The frames of a Jetstream, in a file as they go over the wire, and where each begins."""

    path: Path
    opened: int = 0
    _times: "array[int]" = field(default_factory=lambda: array("Q"))
    _offsets: "array[int]" = field(default_factory=lambda: array("Q"))

    def write(self, lines: Iterable[Line]) -> None:
        first = time.time_ns() // 1000 + _LATER_S * 10**6  # after whatever cursor a client begins with
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


@dataclass
class _Teller:
    """Publishes a story, line after line, in its own time: from `start` until `finish`."""

    lines: int
    seed: int
    publish: Callable[[Any], None] = lambda _: None
    _told: list[Line] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Tell the last event."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._tell(_earlier(_last_line(len(self._told))))

    def expected(self) -> Arrived:
        return _without_last(self._told)

    def _run(self) -> None:
        for line in told(self.lines, self.seed):
            if self._stopped.wait(0.003):
                return
            if line["kind"] == "post":  # a search finds no deletes
                self._tell(_earlier(line))

    def _tell(self, line: Line) -> None:
        self._told.append(line)
        data = {name: line[field] for name, field in _X_FIELDS.items()}
        user = {"id": line["author_id"], "username": line["author_handle"], "name": "A"}
        self.publish({"data": data, "includes": {"users": [user]}})


_X_FIELDS = {"id": "post_id", "author_id": "author_id", "created_at": "posted_at", "text": "text"}


def _earlier(line: Line) -> Line:
    """The line, two years before: no clock on which this runs takes its time for one to come."""
    return {**line, "posted_at": line["posted_at"].replace("2026", "2024", 1)}


def _last_line(number: int) -> Line:
    line = next(told(1, 0))
    at = datetime.fromisoformat(line["posted_at"]).timestamp() + number / 50 + _LATER_S
    text = datetime.fromtimestamp(at, tz=datetime.fromisoformat(line["posted_at"]).tzinfo).isoformat(
        timespec="milliseconds"
    )
    return {**line, "post_id": "last", "author_id": "last", "posted_at": text.replace("+00:00", "Z")}


def _without_last(lines: Iterable[Line]) -> Arrived:
    """What must arrive; the window of the last event stays open."""
    found = model(lines)
    found.windows = {key: posts for key, posts in found.windows.items() if not key[1].endswith("last")}
    return found


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
            yield _earlier({**line, "network": "bluesky", "post_id": uri, "author_id": did})


def _commit(line: Line, time_us: int) -> bytes:
    part = {"operation": "create" if line["kind"] == "post" else "delete", "collection": _POSTS}
    part |= {"rev": "3l", "rkey": line["post_id"].rpartition("/")[2]}
    if line["kind"] == "post":
        part["record"] = {"$type": _POSTS, "text": line["text"], "createdAt": line["posted_at"]}
    return orjson.dumps({"did": line["author_id"], "time_us": time_us, "kind": "commit", "commit": part})


def _frame(message: bytes) -> bytes:
    """A text message as a websocket frame of a server (RFC 6455, 5.2)."""
    size = len(message)
    return (b"\x81" + (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big"))) + message
