"""What Spark needs for the streamer's author windows: events a second on one core or more, state by author.

python -m benchmarks.spark_windows [--events 400000] [--authors 20000] [--cores 1]

A real Spark reads packed records of a local Kinesis without limits; its seconds are those of its batches, without its
start. Compare `python -m benchmarks.windows`: the same posts, counted by the streamer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.windows import batches
from localaws.testing.server import running_localaws
from localaws.testing.streams import settled
from postrank.posts.encoding import LineEncoder
from postrank.sinks.packing import Packer

STREAM = "posts"


def fill(kinesis, events: int, authors: int) -> None:
    """Put the posts into a stream of two shards, packed as the streamer packs them."""
    kinesis.create_stream(StreamName=STREAM, ShardCount=2)
    settled(kinesis, STREAM)
    packer = Packer(STREAM)
    encoder = LineEncoder(received_at="2026-05-01T12:00:00.000Z", collector="benchmark")
    for number, posts in enumerate(batches(events, authors, rate=5_000), 1):
        packer.add([post.author_id for post in posts], encoder.encode(posts))
        if number % 100 == 0 or number * len(posts) >= events:
            records = [{"PartitionKey": record.key, "Data": record.data} for record in packer.take()]
            for start in range(0, len(records), 150):
                kinesis.put_records(StreamName=STREAM, Records=records[start : start + 150])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--authors", type=int, default=20_000)
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with running_localaws(root, env={"LOCALAWS_KINESIS_LIMITS": "off"}) as aws:
            fill(aws.client("kinesis"), options.events, options.authors)
            command = [sys.executable, "-m", "postrank_spark", "run", "--kinesis", STREAM, "--drain"]
            command += ["--only", "author_windows", "--master", f"local[{options.cores}]"]
            command += ["--partitions", str(options.cores), "--checkpoints", str(root / "checkpoints")]
            command += ["--lake", str(root / "lake")]
            done = subprocess.run(
                command, env={**os.environ, **aws.root_environment}, stdout=subprocess.PIPE, text=True, check=True
            )
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    seconds = sum(report["seconds"] for report in reports)
    rows = max(report["state_rows"] for report in reports)
    size = max(report["state_bytes"] for report in reports)
    print(f"{options.events / seconds:,.0f} events/s on {options.cores} core(s), {seconds:.1f} s in batches;")
    print(f"state at most {rows:,} rows, {size / 2**20:.0f} MB")


if __name__ == "__main__":
    main()
