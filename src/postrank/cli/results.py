"""`postrank results`: print what was ranked and exported."""

import csv
import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.ranking.export_reader import Copy, Exports, Results
from postrank.ranking.export_writer import COLUMNS
from postrank.ranking.request import GRANULARITIES
from postrank.ranking.terminal_table import ranking_table
from postrank.settings import Settings

Row = dict[str, Any]
LOCAL_COPY = Path("var", "results")  # what `postrank up` leaves in a checkout


@click.command()
@click.option(
    "--granularity", type=click.Choice(GRANULARITIES), default="all", show_default=True, help="Which windows."
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many authors a window.")
@click.option("--windows", type=click.IntRange(min=0), default=1, show_default=True, help="The newest n; 0: all.")
@click.option("--network", help="Only authors of this network; their ranks stay those among all.")
@click.option("--run", help="The run whose export to read; the newest unless given.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option(
    "--copy",
    type=click.Path(path_type=Path),
    help="Read a copy of the results bucket in this folder. Default: var/results, where POSTRANK_ACCOUNT is not set.",
)
def results(
    *,
    granularity: str,
    top: int,
    windows: int,
    network: str | None,
    run: str | None,
    form: str,
    copy: Path | None,
) -> None:
    """Print what was ranked and exported.

    \b
    Examples:
      postrank results --granularity hour --top 20
      postrank results --granularity day --windows 0 --format csv
    """
    found = _exports(copy)
    rows = [row for row in found.rows(granularity, run) if row["rank"] <= top and network in (None, row["network"])]
    newest = sorted({row["window_start"] for row in rows})[-windows:]
    chosen = [row for row in rows if row["window_start"] in set(newest)]
    {"table": _tables, "csv": _csv, "json": _json}[form](chosen)


def _exports(copy: Path | None) -> Exports:
    if copy is None and "POSTRANK_ACCOUNT" not in os.environ and LOCAL_COPY.is_dir():
        copy = LOCAL_COPY
    if copy is not None:
        return Copy(copy)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return Results(Clients(names.region).get("s3"), names.buckets["results"])


def _tables(rows: Sequence[Row]) -> None:
    console = Console()
    if not rows:
        console.print("no author is ranked there")
    for (start, end), authors in groupby(rows, key=lambda row: (row["window_start"], row["window_end"])):
        console.print(ranking_table(authors, f"{start} to {end}"))


def _csv(rows: Sequence[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _json(rows: Sequence[Row]) -> None:
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
