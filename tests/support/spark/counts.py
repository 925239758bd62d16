"""Windows of the streamer and of Spark in one form: counts by network, author and end of the window."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import orjson

from postrank.posts import Post
from postrank.windows.author_windows import AuthorWindows
from postrank.windows.sliding_view import Sliding
from postrank.windows.window import Window

_SAMPLE = Path(__file__).resolve().parents[3] / "include/sample/synthetic-posts.ndjson.gz"
_NOW_MS = 1_780_000_000_000


def sample() -> list[bytes]:
    with gzip.open(_SAMPLE) as file:
        return file.readlines()


def posts_of(lines: Iterable[bytes]) -> list[Post]:
    """The posts and edits among lines, in their order."""
    events = map(orjson.loads, lines)
    return [
        Post(**{name: event.get(name) for name in ("kind", "network", "post_id", "author_id", "posted_at")})
        for event in events
        if event["kind"] in ("post", "edit")
    ]


def streamed(posts: Iterable[Post]) -> list[Window]:
    """What the streamer emits for posts, taken one by one."""
    windows = AuthorWindows(sliding=Sliding(rows=1_000_000))
    emitted: list[Window] = []
    for post in posts:
        windows.add([post], _NOW_MS)
        emitted += windows.take()[0]
    return emitted + windows.take(ended=True)[0]


def counts(windows: Iterable[Window], kind: str) -> dict[tuple[str, str, str], int]:
    """The highest count that was emitted for each window."""
    highest: dict[tuple[str, str, str], int] = {}
    for window in windows:
        if window.kind == kind:
            key = (window.network, window.author_id, window.window_end)
            highest[key] = max(window.posts, highest.get(key, 0))
    return highest


def spark_counts(rows: Iterable[dict[str, object]], kind: str) -> dict[tuple[str, str, str], int]:
    """As `counts`, of Spark's rows."""
    highest: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row["kind"] == kind:
            end = row["window_end"]
            key = (row["network"], row["author_id"], f"{end:%Y-%m-%dT%H:%M:%S}.{end.microsecond // 1000:03d}Z")
            highest[key] = max(row["posts"], highest.get(key, 0))
    return highest
