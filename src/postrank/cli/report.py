"""`postrank report`: write the report of a run as a file."""

from pathlib import Path

import click

from postrank.cli.results import results_or_copy
from postrank.report.store import report_of


@click.command()
@click.option("--run", help="Run to report on. Default: the newest.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True)
@click.option(
    "--copy",
    type=click.Path(path_type=Path),
    help="Read a copy of the results bucket from this folder. Default: var/results if POSTRANK_ACCOUNT is not set.",
)
def report(*, run: str | None, out: Path, copy: Path | None) -> None:
    """Write the report of a run as one self-contained HTML file.

    \b
    Examples:
      postrank report
      postrank report --run RUN --out monday.html
    """
    exported = results_or_copy(copy)
    out.write_bytes(report_of(exported, exported.checked(run)))
    click.echo(f"wrote {out}")
