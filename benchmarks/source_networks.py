"""What it costs to receive a post from Bluesky and from Mastodon, beside the barest loops that could.

    python -m benchmarks.source_networks [--posts 40000]

A process of its own sends synthetic posts as fast as they are taken: a frame of a websocket each, or server-sent
events. CPU microseconds a post are those of the reading process alone, all its threads. "Bare" reads the same with
websockets or http.client and calls `orjson.loads` on each post; the sources make posts of them.
"""

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from websockets.sync.client import connect

from localaws.testing.waiting import wait_for
from postrank.options import Options
from postrank.sources import Source, Surroundings
from postrank.sources.bluesky import Jetstream
from postrank.sources.mastodon import Mastodon
from tests.support.fakes.jetstream import commit, fake_jetstream, record
from tests.support.fakes.mastodon import TOKEN, fake_mastodon, status

TEXT = "some words about nothing in particular " * 3


def frame(number: int) -> str:
    """A commit of a post with a tag and a reply, as Jetstream v1 sends it (some 800 bytes)."""
    feature = {"$type": "app.bsky.richtext.facet#tag", "tag": f"tag{number % 50}"}
    facet = {"index": {"byteStart": 117, "byteEnd": 122}, "features": [feature]}
    parent = {
        "cid": "bafyreiabcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrs",
        "uri": "at://did:plc:p/app.bsky.feed.post/1",
    }
    body = record(f"{TEXT}#tag{number % 50}", facets=[facet], reply={"parent": parent, "root": parent})
    event = commit(f"did:plc:{number % 20_000:024d}", f"r{number}", body)
    return orjson.dumps({**event, "time_us": 1_777_000_000_000_000 + number * 1000}).decode()


def server_sent(number: int) -> bytes:
    """An update with a tag, a mention and what an account says of itself (some 2 KB)."""
    account = f"{number % 20_000}"
    html = f'<p>{TEXT}<a href="https://example.social/tags/t" class="mention hashtag" rel="tag">#<span>t</span></a></p>'
    body = status(number + 1, account, html, tags=[{"name": "t", "url": "https://example.social/tags/t"}])
    body["mentions"] = [
        {"id": "1", "acct": "other@example.org", "username": "other", "url": "https://example.org/@other"}
    ]
    body["account"] |= {"note": f"<p>{TEXT * 3}</p>", "avatar": "https://example.social/a.png" * 2, "fields": []}
    body |= {"visibility": "public", "sensitive": False, "media_attachments": [], "card": None, "poll": None}
    return b"event: update\ndata: %s\n\n" % orjson.dumps(body)


def serve(network: str, posts: int) -> None:
    """Send so many posts to every client; prints the URL, ends with the standard input."""
    if network == "bluesky":
        with fake_jetstream(raw=[frame(number) for number in range(posts)]) as jetstream:
            print(jetstream.url, flush=True)
            sys.stdin.read()
        return
    events = [server_sent(number) for number in range(posts)]
    with fake_mastodon() as instance:
        print(instance.url, flush=True)
        for client, _ in enumerate(sys.stdin, 1):  # a line for each client to come
            wait_for(lambda client=client: instance.feed.opened == client, every=0.01)
            for event in events:
                instance.feed.publish(event)


def bare_bluesky(url: str, posts: int) -> None:
    with connect(url) as socket:
        for _ in range(posts):
            orjson.loads(socket.recv(decode=False))


def bare_mastodon(url: str, posts: int) -> None:
    connection = HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/api/v1/streaming/public/local", headers={"Authorization": f"Bearer {TOKEN}"})
    response, rest, found = connection.getresponse(), b"", 0
    while found < posts:
        *lines, rest = (rest + response.read1(1 << 16)).split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                orjson.loads(line[6:])
                found += 1
    connection.close()


def with_bluesky(url: str, posts: int) -> None:
    take_all(Jetstream.build(Options({"hosts": [url], "directory": "none"}, "b"), Surroundings(state=Path())), posts)


def with_mastodon(url: str, posts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table: dict[str, Any] = {"instances": [{"url": url, "token": TOKEN}]}
        take_all(Mastodon.build(Options(table, "m"), Surroundings(state=Path(folder))), posts)


def take_all(source: Source, posts: int) -> None:
    found = 0
    for batch in source.read(after=None):
        found += len(batch.events)
        if found >= posts:
            source.stop()
    assert found == posts


READERS: dict[str, dict[str, Callable[[str, int], None]]] = {
    "bluesky": {"bare": bare_bluesky, "the source": with_bluesky},
    "mastodon": {"bare": bare_mastodon, "the source": with_mastodon},
}


def microseconds(network: str, posts: int) -> dict[str, tuple[float, float]]:
    """CPU and wall microseconds a post by reader; the better of two runs each."""
    figures: dict[str, tuple[float, float]] = {}
    argv = [sys.executable, "-m", "benchmarks.source_networks", "--serve", network, "--posts", str(posts)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        url = server.stdout.readline().strip()
        for name, read in [*READERS[network].items()] * 2:
            server.stdin.write("\n")
            server.stdin.flush()
            cpu, wall = time.process_time(), time.perf_counter()
            read(url, posts)
            found = (time.process_time() - cpu) / posts * 1e6, (time.perf_counter() - wall) / posts * 1e6
            figures[name] = min(found, figures.get(name, found))
        server.terminate()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=40_000)
    parser.add_argument("--serve", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.posts)
        return
    gc.set_threshold(200_000, 50, 100)  # as `postrank stream` sets it
    table = Table("network", "reader", "CPU us/post", "posts/s", "CPU, times bare")
    for network in READERS:
        figures = microseconds(network, options.posts)
        for name, (cpu, wall) in figures.items():
            table.add_row(network, name, f"{cpu:.1f}", f"{1e6 / wall:,.0f}", f"{cpu / figures['bare'][0]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
