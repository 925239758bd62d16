"""`postrank report`: the report of a run, as a file."""

import os
from pathlib import Path

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.ranking.export_reader import Results
from postrank.report.store import Report
from postrank.settings import Settings


@click.command()
@click.option("--run", help="The run whose export to show; the newest unless given.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True)
def report(*, run: str | None, out: Path) -> None:
    """Write the report of a run: one HTML file that stands alone."""
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    found = Results(Clients(names.region).get("s3"), names.buckets["results"])
    out.write_bytes(Report(found, run or found.latest()["run"]).make())
    click.echo(f"wrote {out}")
