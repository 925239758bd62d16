"""`postrank doctor`: check what a streamer on this machine needs, and what to do about problems."""

import os
import sys
from pathlib import Path

import click

from postrank.streamer.doctor.checks import examine


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The streamer's TOML file.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
def doctor(path: Path, collector: str | None) -> None:
    """Check configuration, source, disk, credentials, clock, streams, bucket and metrics.

    \b
    Exit status: 0 if all is well, 1 on any problem.

    \b
    Examples:
      postrank doctor --config streamer.toml
      postrank doctor --config collectors.toml --collector x-brands
      X_BEARER_TOKEN=$(cat token) postrank doctor --config x.toml
    """
    sick = False
    for finding in examine(path, os.environ, collector):
        click.echo(f"{'ok  ' if finding.well else 'FAIL'}  {finding.what}: {finding.seen}")
        if not finding.well:
            sick = True
            click.echo(f"      -> {finding.advice}")
    sys.exit(1 if sick else 0)
