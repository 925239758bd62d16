"""`postrank results`: print exported rankings."""

import csv
import json
import os
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.ranking.export_forms import COLUMNS
from postrank.ranking.export_reader import Copy, Exports, Results
from postrank.ranking.request import GRANULARITIES
from postrank.ranking.terminal_table import ranking_table
from postrank.settings import Settings
from postrank.spreadsheet import neutral
from postrank.suggestions import nearest

Row = Document
LOCAL_COPY = Path("var", "results")  # what `postrank up` leaves in a checkout


class NoSuchNetwork(Fatal):
    """The ranking has no author of the network."""

    def __init__(self, network: str, networks: list[str]) -> None:
        listed = ", ".join(networks) or "none, it is empty"
        hint = nearest(network, networks)
        super().__init__(f"the ranking has no author of the network {network!r}{hint}; its networks: {listed}")


class NoRanking(Fatal):
    """There is neither a copy of an export nor the name of an account that holds one."""

    def __init__(self) -> None:
        super().__init__(
            f"there is no ranking in {LOCAL_COPY}: rank something first (`make run ONCE=1`), name a copy of the "
            "results bucket with --copy, or set POSTRANK_ACCOUNT for the bucket itself"
        )


@click.command()
@click.option(
    "--granularity", type=click.Choice(GRANULARITIES), default="all", show_default=True, help="Length of the windows."
)
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Authors per window.")
@click.option(
    "--windows",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Number of windows, newest first; 0: all.",
)
@click.option("--network", help="Show only this network's authors, with their ranks among all.")
@click.option("--run", help="Run whose export to read. Default: the newest.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--exact", is_flag=True, help="With --format csv: every text as it is, formulas included.")
@click.option(
    "--copy",
    type=click.Path(path_type=Path),
    help="Read a copy of the results bucket from this folder. Default: var/results if POSTRANK_ACCOUNT is not set.",
)
def results(
    *,
    granularity: str,
    top: int,
    windows: int,
    network: str | None,
    run: str | None,
    form: str,
    exact: bool,
    copy: Path | None,
) -> None:
    """Print exported rankings.

    CSV is made for spreadsheets: a text that would be taken for a formula gets an apostrophe in front, which --exact
    leaves out. JSON is always exact.

    \b
    Examples:
      postrank results --granularity hour --top 20
      postrank results --granularity day --windows 0 --format csv
    """
    exported = results_or_copy(copy)
    ranked = exported.rows(granularity, exported.checked(run))
    networks = sorted({row["network"] for row in ranked})
    if network is not None and network not in networks:
        raise NoSuchNetwork(network, networks)
    rows = [row for row in ranked if row["rank"] <= top and network in (None, row["network"])]
    newest = sorted({row["window_start"] for row in rows})[-windows:]
    chosen = [row for row in rows if row["window_start"] in set(newest)]
    {"table": _tables, "csv": _exact_csv if exact else _csv, "json": _json}[form](chosen)


def results_or_copy(copy: Path | None) -> Exports:
    """The exports in `copy`, in a checkout's own copy if no account is named, or in the results bucket."""
    if copy is None and "POSTRANK_ACCOUNT" not in os.environ:
        copy = LOCAL_COPY
        if not copy.is_dir():
            raise NoRanking
    if copy is not None:
        return Copy(copy)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return Results(Clients(names.region).get("s3"), names.buckets["results"])


def _tables(rows: Sequence[Row]) -> None:
    console = Console()
    if not rows:
        console.print("no ranked authors")
    for (start, end), authors in groupby(rows, key=lambda row: (row["window_start"], row["window_end"])):
        console.print(ranking_table(authors, f"{start} to {end}"))


def _csv(rows: Sequence[Row]) -> None:
    _exact_csv([{name: neutral(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows])


def _exact_csv(rows: Sequence[Row]) -> None:
    writer = csv.DictWriter(sys.stdout, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _json(rows: Sequence[Row]) -> None:
    click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
