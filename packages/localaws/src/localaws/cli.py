"""The `localaws` command."""

import logging
import sys
from pathlib import Path

import click


@click.group()
def main() -> None:
    """A local AWS on which a data pipeline really runs."""


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=4566, show_default=True, help="Port; 0 takes any free one."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="Address to listen on. It asks nobody for a password: another one only in a network of its own.",
)  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder that holds everything.")
@click.option("--enforce-iam", is_flag=True, help="Check every call against its caller's policies.")
@click.option("--call-log", type=click.Path(path_type=Path), help="File that gets a JSON line for every call.")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000),
    default=1.0,
    show_default=True,
    help="How many times faster than AWS waits run.",
)
@click.option("--units", type=click.Path(path_type=Path), help="Folder of <unit>.toml: what instances may run.")
def serve(
    *, port: int, host: str, state: Path, enforce_iam: bool, call_log: Path | None, speed: float, units: Path | None
) -> None:
    """Serve every service on one endpoint until SIGTERM.

    Prints `localaws ready on http://127.0.0.1:PORT` when it answers; /_localaws/health says so, too.

    \b
    Example:
      localaws serve --state /tmp/aws &
      aws --endpoint-url http://127.0.0.1:4566 s3 mb s3://mine
    """
    from localaws.server import CannotServe, Options, serve

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options = Options(
        port=port, host=host, state=state, enforce_iam=enforce_iam, call_log=call_log, speed=speed, units=units
    )
    try:
        serve(options)
    except CannotServe as error:
        click.echo(f"localaws: {error}", err=True)
        sys.exit(1)
