"""`postrank report`: write the report of a run as a file."""

import os
from pathlib import Path

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.ranking.export_reader import Results
from postrank.report.store import Report
from postrank.settings import Settings


@click.command()
@click.option("--run", help="Run to report on. Default: the newest.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True)
def report(*, run: str | None, out: Path) -> None:
    """Write the report of a run as one self-contained HTML file."""
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    exported = Results(Clients(names.region).get("s3"), names.buckets["results"])
    out.write_bytes(Report(exported, run or exported.latest()["run"]).make())
    click.echo(f"wrote {out}")
