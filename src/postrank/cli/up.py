"""`postrank up`: everything on this machine."""

import shlex
import sys
from pathlib import Path

import click
from rich.console import Console

from postrank.extras import require
from postrank.laptop.run import Interrupted, run
from postrank.laptop.setup.options import Options

SOURCES = ("replay", "bluesky")
_PORT = click.IntRange(1, 65535)


@click.command()
@click.option(
    "--project", type=click.Path(path_type=Path), default=Path(), help="The checkout; by default this folder."
)
@click.option("--var", type=click.Path(path_type=Path), help="Where a run keeps its files; PROJECT/var by default.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port of the Airflow UI on 127.0.0.1.")
@click.option("--aws-port", type=_PORT, default=4566, show_default=True, help="Port of the local AWS on 127.0.0.1.")
@click.option("--source", type=click.Choice(SOURCES), default="replay", show_default=True, help="Who gives the posts.")
@click.option(
    "--posts",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A file, directory or pattern to replay instead of the bundled sample; may be given more than once.",
)
@click.option(
    "--posts-list",
    default="",
    metavar="NAMES",
    help="Several of them in one text; quote a name with blanks in it, as in a shell.",
)
@click.option("--once", is_flag=True, help="End after the first complete ranking.")
@click.option("--keep", is_flag=True, help="Go on with what the last run left, rather than afresh.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="How many authors to print.")
def up(
    project: Path,
    var: Path | None,
    port: int,
    aws_port: int,
    source: str,
    posts: tuple[Path, ...],
    posts_list: str,
    once: bool,
    keep: bool,
    top: int,
) -> None:
    """Bring up everything on this machine and rank authors.

    Starts the local AWS, the streamer on its instance, Firehose delivery and Airflow, all on 127.0.0.1; runs the DAGs
    once; prints the ranking and what each hop took and gave; then stays up until Ctrl-C. Logs are in var/log, a copy of
    what was exported in var/results.

    \b
    Status: 0 after a complete ranking (also when stopped by Ctrl-C after it), 2 with the reason when none came about,
    130 when stopped before it.

    \b
    Examples:
      postrank up
      postrank up --once --posts monday.ndjson.gz --posts tuesday.json.bz2
      postrank up --source bluesky --port 9090
    """
    require("airflow", "localaws")
    options = Options(
        project=project,
        var=var,
        port=port,
        aws_port=aws_port,
        source=source,
        posts=(*posts, *listed_names(posts_list)),
        once=once,
        keep=keep,
        top=top,
    )
    console = Console()
    try:
        run(options, console)
    except Interrupted as interrupted:
        console.print("Stopped; no process is left.", highlight=False)
        sys.exit(0 if interrupted.ranked else 130)


def listed_names(names: str) -> list[Path]:
    """The names in a text; all of it is one name where there is such a file."""
    if names.strip() and Path(names.strip()).exists():
        return [Path(names.strip())]
    try:
        return [Path(name) for name in shlex.split(names)]
    except ValueError as error:
        raise click.BadParameter(f"{names!r} cannot be split: {error}", param_hint="--posts-list") from error
