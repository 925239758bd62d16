"""A sustained stream of likes: what streamer and lake take for it, beside the plainest reader and posts alone.

    python -m benchmarks.streamer_likes [--seconds 30] [--rate 2000] [--lake-seconds 120]

A Jetstream in a process of its own sends ten likes for each post at a fixed rate. Streamer: CPU of the whole
`postrank stream` while it reads, beside a websocket client that only parses the same frames. Lake: the events of
`--lake-seconds` ranked on the local AWS, beside the same posts without their likes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from benchmarks.streamer import ACCOUNT, Measure, measured, sink
from localaws.testing.server import running_localaws
from postrank.aws.resources import Resources
from postrank.streamer.assembly import build
from postrank.streamer.config import Config
from tests.support.lake.ranked_lake import Lake

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
LIKES = 10  # for each post
_TICK = 0.05  # seconds
_HOUR = "2026-05-01T12"
_AUTHORS = 5_000


def frame(number: int, now: float) -> str:
    """Event `number` of the stream."""
    post, place = divmod(number, LIKES + 1)
    author = f"did:plc:author{post % _AUTHORS}"
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    commit: dict[str, object] = {"operation": "create", "rev": "3l", "cid": "bafy"}
    if place:
        uri = f"at://{author}/{POST}/{post}"
        commit |= {"collection": LIKE, "rkey": str(number)}
        commit["record"] = {"$type": LIKE, "subject": {"uri": uri, "cid": "bafy"}, "createdAt": at}
        author = f"did:plc:fan{number % 50_000}"
    else:
        commit |= {"collection": POST, "rkey": str(post)}
        commit["record"] = {"$type": POST, "text": f"a synthetic post {post} of some words", "createdAt": at}
    return json.dumps({"did": author, "time_us": round(now * 1e6), "kind": "commit", "commit": commit})


def send(rate: int, seconds: float) -> None:
    """Serve one stream after another, each of `seconds` at `rate` events a second."""

    def paced(socket: ServerConnection) -> None:
        began = time.time()
        sent = 0
        total = round(rate * seconds)
        while sent < total:
            due = min(round((time.time() - began) * rate), total)
            for number in range(sent, due):
                socket.send(frame(number, time.time()))
            sent = due
            time.sleep(_TICK)
        with suppress(ConnectionClosed):
            socket.recv()  # until the client has gone

    with serve(paced, "127.0.0.1", 0, compression=None) as server:
        print(server.socket.getsockname()[1], flush=True)
        server.serve_forever()


@contextmanager
def jetstream(rate: int, seconds: float) -> Iterator[str]:
    argv = [sys.executable, "-m", "benchmarks.streamer_likes", "--serve", f"--rate={rate}", f"--seconds={seconds}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"ws://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def bare(url: str, events: int) -> Measure:
    """A client that parses each frame, and does nothing with it."""

    def work() -> None:
        with connect(url, compression=None) as socket:
            for _ in range(events):
                orjson.loads(socket.recv())

    return measured(work)


def streamer(url: str, folder: Path, events: int) -> tuple[Measure, float]:
    """`postrank stream` in this process until all is delivered; also the largest lag in seconds."""
    config = folder / "streamer.toml"
    config.write_text(
        f'state = "{folder / "state"}"\n[source]\nkind = "bluesky"\nhosts = ["{url}"]\ndirectory = "none"\n'
        f'collections = ["{POST}", "{LIKE}"]\n[metrics]\nseconds = 0\n',
        encoding="utf-8",
    )
    environ = {**os.environ, "POSTRANK_ACCOUNT": ACCOUNT}
    service = build(Config.load(config, environ), environ)
    behind: list[float] = []

    def stop_at_the_end() -> None:
        while service.reporter.counts()["delivered"] < events:
            time.sleep(0.2)
            newest = service.reporter.newest_ms()
            behind.append(time.time() - newest / 1000 if newest else 0.0)
        service.stop()

    threading.Thread(target=stop_at_the_end, daemon=True).start()
    return measured(service.run), max(behind[:-15] or [0.0])


def lines(rate: int, seconds: int, *, likes: bool) -> list[dict[str, object]]:
    """What arrives of so many seconds."""
    rows = []
    for number in range(rate * seconds):
        post, place = divmod(number, LIKES + 1)
        if place and not likes:
            continue
        author = f"did:plc:author{post % _AUTHORS}"
        at = f"{_HOUR}:{number // rate // 60 % 60:02d}:{number // rate % 60:02d}.000Z"
        uri = f"at://{author}/{POST}/{post}"
        row: dict[str, object] = {"kind": "post", "network": "bluesky", "post_id": uri, "author_id": author}
        if place:
            fan = f"did:plc:fan{number % 50_000}"
            row |= {"kind": "like", "post_id": f"at://{fan}/{LIKE}/{number}", "author_id": fan, "like_of": uri}
            row["like_of_author"] = author
        rows.append({**row, "posted_at": at, "received_at": at})
    return rows


def rank(folder: Path, rows: list[dict[str, object]]) -> float:
    """Seconds that the local AWS takes to rank them."""
    folder.mkdir()
    with running_localaws(folder, speed=100) as aws:
        lake = Lake(aws.client, Resources.of("bench", ACCOUNT)).create()
        lake.deliver("2026-05-01T13", rows)
        lake.athena.rows("select 1")  # the engine is loaded
        began = time.monotonic()
        lake.rank(["2026-05-01T13"])
        return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--lake-seconds", type=int, default=120)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        send(options.rate, options.seconds)
        return
    events = round(options.rate * options.seconds)
    with sink() as url, jetstream(options.rate, options.seconds) as source, tempfile.TemporaryDirectory() as name:
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        base = bare(source, events)
        own, lag = streamer(source, Path(name), events)
    for title, (cpu, wall) in (("websocket and orjson", base), ("postrank stream", own)):
        print(
            f"{title:24} {events / wall:8,.0f} events/s {cpu / events * 1e6:8.1f} us/event {cpu / wall:6.1%} of a core"
        )
    print(f"{'':24} {own[0] / base[0]:.2f}x the plain reader; newest event at most {lag:.1f} s behind", flush=True)
    with tempfile.TemporaryDirectory() as name:
        for likes in (False, True):
            rows = lines(options.rate, options.lake_seconds, likes=likes)
            seconds = rank(Path(name) / str(likes), rows)
            what = "posts with their likes" if likes else "posts alone"
            share = seconds / options.lake_seconds
            print(
                f"ranking {what:24} {len(rows):9,} lines {seconds:6.1f} s = {share:.1%} of the time they span",
                flush=True,
            )


if __name__ == "__main__":
    main()
