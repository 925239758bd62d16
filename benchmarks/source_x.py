"""What it costs to receive a post from X's filtered stream, beside the barest loop that could.

    python -m benchmarks.source_x [--posts 100000]

A process of its own sends stream objects over HTTP, each a chunk, as X does. CPU microseconds a post are those of the
reading process alone: "bare" reads the same response with http.client and calls orjson.loads on each line; "tweepy" is
its StreamingClient with a callback that does nothing; "postrank" is the source itself, posts made and money counted.
"""

import argparse
import socketserver
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import orjson
import tweepy
from rich.console import Console
from rich.table import Table

from benchmarks.x_posts import write_x_posts
from postrank.options import Options
from postrank.sources import Surroundings
from postrank.sources.x import XStream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
GROUP = 50  # chunks in one write of the server


def serve(file: Path) -> None:
    """Send the file's lines to every client, then end the response; prints the port."""
    lines = [line.rstrip(b"\n") + b"\r\n" for line in file.open("rb")]
    chunks = [b"%x\r\n%s\r\n" % (len(line), line) for line in lines]
    writes = [b"".join(chunks[start : start + GROUP]) for start in range(0, len(chunks), GROUP)]

    class Sender(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(HEAD)
            for write in writes:
                self.wfile.write(write)
            self.wfile.write(b"0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sender) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


def bare(port: int, posts: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    response, rest, found = connection.getresponse(), b"", 0
    while data := response.read1(1 << 16):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            orjson.loads(line)
            found += 1
    assert found == posts


def with_postrank(port: int, posts: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        budget = {"daily_budget": 1e9, "monthly_budget": 1e9, "manage_rules": False}
        table = {"bearer_token": "none", "host": f"http://127.0.0.1:{port}", **budget}
        source = XStream.build(Options(table, "x"), Surroundings(state=Path(folder)))
        found = 0
        for batch in source.read(after=None):
            found += len(batch.events)
            if found >= posts:
                source.stop()
        assert found == posts


def with_tweepy(port: int, posts: int) -> None:
    class Client(tweepy.StreamingClient):
        found = 0

        def on_tweet(self, _: tweepy.Tweet) -> None:
            self.found += 1
            if self.found == posts:
                self.disconnect()

    client = Client("none")
    tweepy.streaming.BaseStream._connect(client, "GET", f"http://127.0.0.1:{port}/")
    assert client.found == posts


def microseconds(work: Callable[[int, int], None], port: int, posts: int) -> tuple[float, float]:
    """CPU and wall microseconds a post; the better of two runs."""
    figures = []
    for _ in range(2):
        cpu, wall = time.process_time(), time.perf_counter()
        work(port, posts)
        figures.append(((time.process_time() - cpu) / posts * 1e6, (time.perf_counter() - wall) / posts * 1e6))
    return min(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = write_x_posts(Path(folder) / "posts.ndjson", options.posts)
        argv = [sys.executable, "-m", "benchmarks.source_x", "--serve", str(file)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout
            port = int(server.stdout.readline())
            readers = {"bare": bare, "postrank": with_postrank, "tweepy": with_tweepy}
            figures = {name: microseconds(work, port, options.posts) for name, work in readers.items()}
            server.terminate()
    table = Table("reader", "CPU us/post", "posts/s", "CPU, times bare", title=f"{options.posts:,} X v2 stream objects")
    for name, (cpu, wall) in figures.items():
        table.add_row(name, f"{cpu:.1f}", f"{1e6 / wall:,.0f}", f"{cpu / figures['bare'][0]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
