"""How fast files are read: JSON lines, CSV and Parquet, in rows a second of one core (CPU time).

    python benchmarks/files.py [--rows 1000000]

Prints one line a form, and what share of reading JSON lines the detection of their form takes.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow
from pyarrow import parquet

from postrank.sources.files.containers.encodings import encoding
from postrank.sources.files.containers.pieces import HEAD
from postrank.sources.files.detection import shape_of
from postrank.sources.files.file_reader import FileReader
from postrank.sources.files.line_batches import LineBatch


def row(number: int) -> dict[str, str]:
    moment = f"2022-03-05T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z"
    return {
        "id": str(1500000000000000000 + number),
        "author_id": str(2000 + number % 5000),
        "created_at": moment,
        "text": f"synthetic post {number}, with some words in it, and a comma",
        "lang": "en",
        "author.username": f"author_{number % 5000}",
        "public_metrics.like_count": str(number % 100),
        "source": "web",
    }


def json_lines(path: Path, rows: int) -> None:
    with path.open("w") as file:
        for number in range(rows):
            fields = row(number)
            data = {name: fields[name] for name in ("id", "author_id", "created_at", "text", "lang")}
            users = [{"id": fields["author_id"], "username": fields["author.username"], "name": "A"}]
            file.write(json.dumps({"data": data, "includes": {"users": users}}, separators=(",", ":")) + "\n")


def table(path: Path, rows: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row(0)))
        writer.writeheader()
        writer.writerows(row(number) for number in range(rows))


def parquet_table(path: Path, rows: int) -> None:
    parquet.write_table(pyarrow.Table.from_pylist([row(number) for number in range(rows)]), path)


def read(path: Path) -> tuple[int, float]:
    """How many posts a file gives, and the seconds of CPU that it takes."""
    began = time.process_time()
    lines = LineBatch(where=path.name)
    posts = 0
    for _ in FileReader(path, lines).read():
        posts += len(lines.take(None).events)
    posts += len(lines.take(None).events)
    return posts, time.process_time() - began


def detection_seconds(path: Path) -> float:
    """The seconds that the detection of a file's form takes."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    began = time.process_time()
    encoding(head)
    shape_of(head, complete=False, mapping={})
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    forms: dict[str, Callable[[Path, int], None]] = {"JSON lines": json_lines, "CSV": table, "Parquet": parquet_table}
    with TemporaryDirectory() as folder:
        for form, write in forms.items():
            path = Path(folder, "posts")
            write(path, rows)
            posts, seconds = read(path)
            size = path.stat().st_size / 1e6
            print(f"{form}: {posts:,} rows, {size:,.0f} MB, {seconds:.2f} s, {posts / seconds:,.0f} rows/s")
            if form == "JSON lines":
                per_gigabyte = seconds / size * 1000
                share = detection_seconds(path) / per_gigabyte
                print(f"detection: {share:.4%} of the {per_gigabyte:.1f} s that 1 GB of JSON lines takes")


if __name__ == "__main__":
    main()
