"""What the streamer costs: X v2 JSON bytes to acknowledged PutRecords, beside bare loops and other producers.

    python -m benchmarks.streamer [--posts 200000] [--agent TELEGRAF]

CPU seconds are those of this process alone; the sink is a process of its own. "Bare" is an `orjson.loads` loop over
the same bytes plus signed PutRecords of the same batches, with nothing in between: no mapping, no windows, no
checkpoint.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from benchmarks.agent import telegraf
from benchmarks.x_posts import write_x_posts
from postrank.aws.clients import Clients
from postrank.aws.put_records import quicken
from postrank.posts.encoding import encode
from postrank.posts.formats.detect import parse_line
from postrank.sinks import POSTS
from postrank.sinks.kinesis import KinesisSink
from postrank.sinks.packing import Packer
from postrank.streamer.assembly import build
from postrank.streamer.config import Config

ACCOUNT = "123456789012"
FLUSH = 4 << 20
Measure = tuple[float, float]  # CPU seconds, wall seconds


@contextmanager
def sink() -> Iterator[str]:
    """A sink in a process of its own; its URL."""
    argv = [sys.executable, "-m", "benchmarks.local_sink"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def measured(work: Callable[[], None]) -> Measure:
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def batches(file: Path, *, gzipped: bool) -> Iterator[Packer]:
    """The packers that the file's posts fill, one for each shipment."""
    packer = Packer(POSTS, gzipped=gzipped)
    with file.open("rb") as lines:
        for line in lines:
            for event in parse_line(line)[0]:
                encoded = encode(event, received_at="2026-05-01T12:00:00.000Z", collector="bench")
                packer.add([event.author_id], [encoded])
            if packer.size >= FLUSH:
                yield packer
    yield packer


def bare(file: Path, client: KinesisSink, *, gzipped: bool) -> Measure:
    """Loads over the same bytes, and signed calls with the same batches (making those is not measured)."""

    def loads() -> None:
        with file.open("rb") as lines:
            for line in lines:
                orjson.loads(line)

    cpu, wall = measured(loads)
    for packer in batches(file, gzipped=gzipped):
        records = packer.take()
        one = measured(lambda records=records: client.put(records))
        cpu, wall = cpu + one[0], wall + one[1]
    return cpu, wall


def streamer(file: Path, folder: Path, *, gzipped: bool) -> Measure:
    """`postrank stream` over the file, in this process."""
    config = folder / "streamer.toml"
    config.write_text(
        f'state = "{folder / "state"}"\n[source]\nkind = "replay"\nfiles = ["{file}"]\n[metrics]\nseconds = 0\n'
        f"[sink]\ngzip = {str(gzipped).lower()}\nrecord_bytes = {200_000 if gzipped else 25_600}\n",
        encoding="utf-8",
    )
    environ = {**os.environ, "POSTRANK_ACCOUNT": ACCOUNT}
    service = build(Config.load(config, environ), environ)
    return measured(service.run)


def put_record(file: Path, client: object, posts: int) -> Measure:
    """One PutRecord a post: what a first script does."""

    def work() -> None:
        with file.open("rb") as lines:
            for _, line in zip(range(posts), lines, strict=False):
                post = orjson.loads(line)
                client.put_record(StreamName="s", Data=line, PartitionKey=post["data"]["author_id"])

    return measured(work)


def put_records(file: Path, client: object, posts: int) -> Measure:
    """PutRecords of 500, one post a record, nothing packed."""

    def work() -> None:
        entries = []
        with file.open("rb") as lines:
            for _, line in zip(range(posts), lines, strict=False):
                post = orjson.loads(line)
                entries.append({"Data": line, "PartitionKey": post["data"]["author_id"]})
                if len(entries) == 500:
                    client.put_records(StreamName="s", Records=entries)
                    entries = []

    return measured(work)


def show(name: str, posts: int, found: Measure, base: float | None = None) -> None:
    cpu, wall = found
    ratio = f"{cpu / base:6.2f}x" if base else "       "
    each, per_cpu, per_wall = cpu / posts * 1e6, posts / cpu, posts / wall
    print(f"{name:50} {each:8.2f} us/post {per_cpu:10,.0f} posts/cpu s {per_wall:10,.0f} posts/s {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--agent", type=Path, help="a Telegraf to put beside it: benchmarks/README.md")
    options = parser.parse_args()
    posts = options.posts
    gc.set_threshold(200_000, 50, 100)  # as `postrank stream` sets it
    with sink() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        file = write_x_posts(folder / "posts.ndjson", posts)
        client = Clients("us-east-1").get("kinesis", attempts=1)
        quick = quicken(Clients("us-east-1").get("kinesis", attempts=1))
        few = min(posts, 2000)
        show("put_record, a post a call", few, put_record(file, client, few))
        many = min(posts, 20_000)
        show("PutRecords(500), a post a record", many, put_records(file, client, many))
        if options.agent:
            show("Telegraf, a post a record, unparsed", posts, telegraf(options.agent, file, posts))
        for gzipped in (False, True):
            kind = "gzip members of 200 KB" if gzipped else "newline JSON of 25 KB"
            base = bare(file, KinesisSink(client=client, streams={POSTS: "s"}), gzipped=gzipped)
            show(f"bare: loads + boto3's calls, {kind}", posts, base)
            lean = bare(file, KinesisSink(client=quick, streams={POSTS: "s"}), gzipped=gzipped)
            show("  the same with Postrank's body of the request", posts, lean, base[0])
            place = folder / f"gz-{gzipped}"
            place.mkdir()
            show(f"postrank stream, {kind}", posts, streamer(file, place, gzipped=gzipped), base[0])


if __name__ == "__main__":
    main()
