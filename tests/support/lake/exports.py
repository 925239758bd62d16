"""Exports as `rank_authors` writes them, made from counts of synthetic authors through the product's own exporter."""

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from pyarrow import csv

from postrank.ranking.export_forms import COLUMNS
from postrank.ranking.export_writer import Exporter
from postrank.ranking.run_identity import Run

LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
GRANULARITIES = ("minute", "hour", "day", "all")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> & 'co' [link=x]"


@dataclass(frozen=True, slots=True)
class Author:
    """A made-up author."""

    id: str
    network: str = "x"
    handle: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A post, as far as a ranking sees it."""

    author: Author
    at: datetime


def ranked(
    posts: Iterable[Written], granularity: str, interval: tuple[datetime, datetime], top: int, revision: int
) -> list[Any]:
    """The rows of the ranking and of its windows (rank 0), counted in plain Python after the data contract."""
    windows: dict[datetime, Counter[Author]] = {}
    for post in posts:
        windows.setdefault(_start(post.at, granularity, interval[0]), Counter())[post.author] += 1
    rows, before, before_end = [], {}, None
    for start in sorted(windows):
        end = interval[1] if granularity == "all" else start + LENGTHS[granularity]
        counts, total = windows[start], windows[start].total()
        rows.append((granularity, start, end, 0, None, None, None, None, total, None, None, None, revision))
        order = sorted(counts, key=lambda one: (-counts[one], one.network, one.id))[:top]
        known = before if before_end == start else {}
        for rank, author in enumerate(order, 1):
            who = (author.network, author.id, author.handle, author.name)
            share, peak = round(counts[author] / total, 6), min(counts[author], 9)
            rows.append((granularity, start, end, rank, *who, counts[author], share, known.get(author), peak, revision))
        before, before_end = {author: rank for rank, author in enumerate(order, 1)}, end
    return rows


def export(s3: Any, bucket: str, posts: list[Written], run_id: str = "manual__one", **changes: Any) -> str:
    """Export the ranking of posts; returns the run's name in keys. `changes` replace what the manifest says;
    with `publish=False`, the pointer to the newest export stays where it is.
    """
    generation = time.time_ns() if changes.pop("publish", True) else None
    start = min(post.at for post in posts).replace(minute=0, second=0, microsecond=0)
    end = max(post.at for post in posts).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    granularities, top = changes.pop("granularities", GRANULARITIES), changes.pop("top", 100)
    revision = changes.pop("revision", 1)
    rows = [row for one in granularities for row in ranked(posts, one, (start, end), top, revision)]
    run = Run(run_id)
    s3.put_object(Bucket=bucket, Key="query-results/ranked.csv", Body=_as_athena_writes(rows))
    exporter = Exporter(s3, bucket, run.exports)
    written = exporter.write(f"s3://{bucket}/query-results/ranked.csv", granularities)
    manifest = {
        "run": run.slug,
        "dag_id": "rank_authors",
        "run_id": run_id,
        "exported_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "interval_requested": False,
        "interval": {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"},
        "granularities": list(granularities),
        "scope": "*",
        "networks": [],
        "top": top,
        "order": "posts",
        "include_reposts": True,
        "arrival_hours": ["2026-05-01-10"],
        "arrived_lines": {"post": len(posts) + 12, "delete": 3},
        "post_lines": len(posts) + 12,
        "edit_lines": 0,
        "duplicates": 12,
        "tombstones": 3,
        "posts": len(posts),
        "scanned_bytes": 1_234_567,
        "queries": [],
        **changes,
    }
    exporter.publish(manifest, written, generation=generation)
    return run.slug


def sample_posts(seed: int = 7, authors: int = 140, hours: int = 30, posts: int = 9_000) -> list[Written]:
    """Posts of many authors with a heavy tail and a daily rhythm, among them scripts of all kinds and hostile names."""
    return _drawn(seed, [_author(number) for number in range(authors)], hours, posts)


def plain_posts(seed: int = 7, authors: int = 140, hours: int = 30, posts: int = 9_000) -> list[Written]:
    """The same without hostile, overlong or missing names: for pictures in the documentation."""
    return _drawn(seed, [_plain_author(number) for number in range(authors)], hours, posts)


def _drawn(seed: int, cast: list[Author], hours: int, posts: int) -> list[Written]:
    draw = random.Random(seed)
    start = datetime(2026, 4, 30, 6, tzinfo=UTC)
    weights = [1 / (number + 2) for number in range(len(cast))]
    minutes = range(hours * 60)
    rhythm = [1.2 + (6 < (start + timedelta(minutes=at)).hour < 22) * 3 for at in minutes]
    drawn = zip(draw.choices(cast, weights, k=posts), draw.choices(minutes, rhythm, k=posts), strict=True)
    return [Written(author, start + timedelta(minutes=minute, seconds=draw.randrange(60))) for author, minute in drawn]


def _author(number: int) -> Author:
    special = {
        1: Author("1001", "x", "hostile", HOSTILE),
        2: Author("1002", "mastodon:social.example", "sim_katze", "Synthetische Katze 🐈"),
        3: Author("did:plc:sim1003", "bluesky", "sim.example", "作られた人"),
        4: Author("1004", "mastodon:social.example", "sim_rtl", "كاتب مصطنع"),
        5: Author("1005", "x", "sim_long", "A synthetic name that goes on and on" * 4),
        6: Author("1006", "x", None, None),
    }
    return special.get(number, _plain_author(number))


def _plain_author(number: int) -> Author:
    networks = ("x", "mastodon:social.example", "bluesky")
    return Author(str(1000 + number), networks[number % 3], f"sim_{number}", f"Simulated {number}")


def _start(at: datetime, granularity: str, first: datetime) -> datetime:
    if granularity == "all":
        return first
    whole = at.replace(second=0, microsecond=0)
    return {
        "minute": whole,
        "hour": whole.replace(minute=0),
        "day": whole.replace(hour=0, minute=0),
    }[granularity]


def _as_athena_writes(rows: list[Any]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    arrays = [pa.array(_naive(column), kind) for column, kind in zip(columns, COLUMNS.values(), strict=True)]
    table = pa.table(dict(zip(COLUMNS, arrays, strict=True)))
    out = pa.BufferOutputStream()
    csv.write_csv(table, out, csv.WriteOptions(quoting_style="needed"))
    return out.getvalue().to_pybytes()


def _naive(column: tuple[Any, ...]) -> list[Any]:
    return [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in column]
