"""`postrank results`: print what was ranked and exported."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.results.export import COLUMNS
from postrank.results.reader import Results
from postrank.results.request import GRANULARITIES
from postrank.settings import Settings

Row = dict[str, Any]


@click.command()
@click.option(
    "--granularity", type=click.Choice(GRANULARITIES), default="all", show_default=True, help="Which windows."
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many authors a window.")
@click.option("--windows", type=click.IntRange(min=0), default=1, show_default=True, help="The newest n; 0: all.")
@click.option("--network", help="Only authors of this network; their ranks stay those among all.")
@click.option("--run", help="The run whose export to read; the newest unless given.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def results(*, granularity: str, top: int, windows: int, network: str | None, run: str | None, form: str) -> None:
    """Print what was ranked and exported."""
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    found = Results(Clients(names.region).get("s3"), names.buckets["results"])
    rows = [row for row in found.rows(granularity, run) if row["rank"] <= top and network in (None, row["network"])]
    newest = sorted({row["window_start"] for row in rows})[-windows:]
    chosen = [row for row in rows if row["window_start"] in set(newest)]
    {"table": _tables, "csv": _csv, "json": _json}[form](chosen)


def _tables(rows: Sequence[Row]) -> None:
    console = Console()
    if not rows:
        console.print("no author is ranked there")
    for (start, end), authors in groupby(rows, key=lambda row: (row["window_start"], row["window_end"])):
        console.print(_table(f"{start} to {end}", authors))


def _table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("rank", "before", "posts", "share", "peak 60 s"):
        table.add_column(name, justify="right")
    for name in ("network", "author", "name"):
        table.add_column(name)
    for row in rows:
        counts = (row["rank"], row["previous_rank"] or "-", f"{row['posts']:,}", f"{row['share']:.2%}", row["peak_60s"])
        author = (row["network"], row["author_handle"] or row["author_id"], row["author_name"] or "")
        table.add_row(*(str(one) for one in counts), *(_plain(one) for one in author))
    return table


def _plain(text: str) -> str:
    """Text that cannot be markup or move the cursor: names come from strangers."""
    return "".join(one if one.isprintable() else " " for one in text).replace("[", r"\[")


def _csv(rows: Sequence[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _json(rows: Sequence[Row]) -> None:
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
