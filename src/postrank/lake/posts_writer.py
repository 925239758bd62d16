"""Posts as CSV, Parquet or ids: row by row, or in small groups, whatever their number."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from postrank.documents import Document, JsonObject
from postrank.lake.posts_reader import COLUMNS, LISTS, TIMES
from postrank.spreadsheet import neutral

_GROUP = 10_000  # rows


def write_csv(posts: Iterable[JsonObject], target: TextIO) -> None:
    """A header and a line a post, made for spreadsheets (`postrank.spreadsheet`); lists with blanks in between."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for post in posts:
        writer.writerow([_cell(post[name]) for name in COLUMNS])


def write_ids(posts: Iterable[JsonObject], target: TextIO) -> None:
    """An id a line, as `postrank backfill --source x-ids` reads them."""
    for post in posts:
        target.write(f"{post['post_id']}\n")


def write_parquet(posts: Iterable[JsonObject], target: Path) -> None:
    """One file; lists are lists, times timestamps."""
    import pyarrow as pa  # of the extra `export`
    from pyarrow import parquet

    types = {
        **dict.fromkeys(COLUMNS, pa.string()),
        **dict.fromkeys(LISTS, pa.list_(pa.string())),
        **dict.fromkeys(TIMES, pa.timestamp("ms", tz="UTC")),
        "sensitive": pa.bool_(),
    }
    schema = pa.schema(list(types.items()))
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        for group in _groups(posts):
            writer.write_table(pa.Table.from_pylist([_moments(post) for post in group], schema=schema))


def _moments(post: JsonObject) -> Document:
    """The row with its times as instants."""
    times = {name: datetime.fromisoformat(post[name]) if post[name] else None for name in TIMES}
    return {**post, **times}


def _groups(posts: Iterable[JsonObject]) -> Iterator[list[JsonObject]]:
    rows = iter(posts)
    while group := list(islice(rows, _GROUP)):
        yield group


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return neutral(value) if isinstance(value, str) else value
