"""Resident memory of the whole streamer over many posts: from files of X v2 stream objects to acknowledged PutRecords.

    python -m benchmarks.streamer_memory [--posts 10000000]

Every tenth post has an author who never comes again, the others are of 200,000; 5,000 posts a second of event time.
"""

import argparse
import gc
import os
import tempfile
import threading
from datetime import timedelta
from pathlib import Path

from isal import igzip

from benchmarks.streamer import ACCOUNT, sink
from benchmarks.windows import resident_mb
from benchmarks.x_posts import START
from postrank.posts.times import to_text
from postrank.streamer.assembly import build
from postrank.streamer.config import Config

RATE, BLOCK = 5_000, 50_000
POST = (
    '{{"data":{{"id":"{id}","text":"some words about nothing in particular #{tag}","author_id":"{author}","created_at":'
    '"{at}","lang":"en","edit_history_tweet_ids":["{id}"],"entities":{{"hashtags":[{{"start":1,"end":2,"tag":"{tag}"}}]}}}},'
    '"includes":{{"users":[{{"id":"{author}","name":"Simulated {author}","username":"sim_{author}"}}]}}}}\n'
)


def write(folder: Path, posts: int) -> list[Path]:
    """Gzipped files of BLOCK posts each."""
    paths = []
    for first in range(0, posts, BLOCK):
        paths.append(folder / f"{first:010}.ndjson.gz")
        lines = [
            POST.format(
                id=1_800_000_000_000_000_000 + number,
                tag=number % 50,
                author=number if number % 10 == 0 else 10**10 + number * 7919 % 200_000,
                at=to_text(START + timedelta(milliseconds=number * 1000 // RATE)),
            )
            for number in range(first, min(first + BLOCK, posts))
        ]
        paths[-1].write_bytes(igzip.compress("".join(lines).encode(), compresslevel=1))
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=10_000_000)
    posts = parser.parse_args().posts
    gc.set_threshold(200_000, 50, 100)  # as `postrank stream` sets it
    with sink() as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}
        files = ",".join(f'"{path}"' for path in write(folder, posts))
        config = folder / "streamer.toml"
        config.write_text(
            f'state = "{folder / "state"}"\n[source]\nkind = "replay"\nfiles = [{files}]\n[metrics]\nseconds = 0\n',
            encoding="utf-8",
        )
        environ = {**os.environ, "POSTRANK_ACCOUNT": ACCOUNT}
        service = build(Config.load(config, environ), environ)
        ended = threading.Event()
        watch = threading.Thread(target=watching, args=(service.pump.progress, posts // 20, ended))
        watch.start()
        service.run()
        ended.set()
        watch.join()


def watching(progress: object, step: int, ended: threading.Event) -> None:
    due = step
    while not ended.wait(0.1):
        if progress.counts.read >= due:  # type: ignore[attr-defined]
            print(f"{progress.counts.read:12,} posts {resident_mb():6.0f} MB", flush=True)  # type: ignore[attr-defined]
            due += step


if __name__ == "__main__":
    main()
