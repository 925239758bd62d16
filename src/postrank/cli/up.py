"""`postrank up`: run everything on this machine."""

import sys
from pathlib import Path

import click
from rich.console import Console

from postrank.extras import require
from postrank.laptop.lifecycle import Interrupted, run
from postrank.laptop.setup.options import Options, files_of_line

SOURCES = ("sample", "replay", "tail", "x", "mastodon", "bluesky")
_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--project", type=click.Path(path_type=Path), default=Path(), help="The checkout. Default: this folder.")
@click.option("--var", type=click.Path(path_type=Path), help="Folder for the run's files. Default: PROJECT/var.")
@click.option("--port", type=_PORT, default=8080, show_default=True, help="Port of the Airflow UI on 127.0.0.1.")
@click.option("--aws-port", type=_PORT, default=4566, show_default=True, help="Port of the local AWS on 127.0.0.1.")
@click.option(
    "--source",
    "sources",
    type=click.Choice(SOURCES),
    multiple=True,
    help="Where posts come from; repeat for several. Default: what --config says, else a replay.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="TOML file with the streamer's options: tokens as env:NAME, rules, filters; or with several collectors. "
    "docs/quickstarts.md has examples.",
)
@click.option(
    "--posts",
    type=click.Path(path_type=Path),
    multiple=True,
    help="File to replay instead of the bundled sample, or log to follow; repeat for several.",
)
@click.option("--posts-line", hidden=True, default="", help="As --posts: several files, as a shell would split them.")
@click.option("--once", is_flag=True, help="Exit after the first complete ranking.")
@click.option("--keep", is_flag=True, help="Resume from the last run instead of starting fresh.")
@click.option("--top", type=click.IntRange(min=1), default=20, show_default=True, help="Number of authors to print.")
@click.option(
    "--athena", type=click.Choice(["duckdb", "trino"]), default="duckdb", show_default=True,
    help="Engine of the local Athena. trino is the real one; it needs Java 24 or newer and downloads 250 MB once.",
)  # fmt: skip
@click.option("--app/--no-app", default=True, show_default=True, help="Start the warehouse and the app once ranked.")
@click.option("--app-port", type=_PORT, help="Port of the app on 127.0.0.1. Default: 8501, or any if that is taken.")
@click.option(
    "--engine", type=click.Choice(["spark"]),
    help="Count the stream's windows with Spark, too, and compare. Needs `make spark` and Java 17.",
)  # fmt: skip
def up(
    project: Path,
    var: Path | None,
    port: int,
    aws_port: int,
    sources: tuple[str, ...],
    config: Path | None,
    posts: tuple[Path, ...],
    posts_line: str,
    once: bool,
    keep: bool,
    top: int,
    athena: str,
    app: bool,
    app_port: int | None,
    engine: str | None,
) -> None:
    """Run everything on this machine and rank authors.

    Starts the local AWS, the streamer on its instance, Firehose delivery and Airflow, all on 127.0.0.1; runs the DAGs
    once; prints the ranking and the counts of each hop; then starts the warehouse and the app over it, and keeps
    running until Ctrl-C. Logs are in var/log, a copy of the export is in var/results.

    The source is checked first: its options, its token, and whether its network answers.

    \b
    Exit status:
      0    a ranking was completed
      2    no ranking was completed, and something must be changed first: the message says what
      75   no ranking was completed, and a retry may succeed: the network did not answer
      130  interrupted before the first ranking

    \b
    Examples:
      postrank up
      postrank up --once --posts monday.ndjson.gz --posts tuesday.json.bz2
      postrank up --source bluesky --port 9090 --no-app
      postrank up --source sample --source bluesky
      postrank up --source tail --posts /var/log/app.ndjson
      X_BEARER_TOKEN=$(cat token) postrank up --config x.toml
    """
    require("airflow", "localaws")
    options = Options(
        project=project,
        var=var,
        port=port,
        aws_port=aws_port,
        source=sources[0] if len(set(sources)) == 1 else None,
        sources=tuple(dict.fromkeys(sources)) if len(set(sources)) > 1 else (),
        config=config,
        posts=(*posts, *files_of_line(posts_line)),
        once=once,
        keep=keep,
        top=top,
        athena=athena,
        app=app,
        app_port=app_port,
        engine=engine,
    )
    console = Console()
    try:
        run(options, console)
    except Interrupted as interrupted:
        console.print("Stopped; no process is left.", highlight=False)
        sys.exit(0 if interrupted.ranked else 130)
