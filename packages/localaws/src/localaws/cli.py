"""The `localaws` command."""

import logging
import sys
from pathlib import Path

import click


@click.group()
def main() -> None:
    """A local AWS that really runs a data pipeline."""


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=4566, show_default=True, help="Port; 0 picks a free one."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True,
    help="Address to listen on. There is no authentication; leave loopback only on an isolated network.",
)  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder for all state.")
@click.option("--enforce-iam", is_flag=True, help="Reject calls that the caller's policies do not allow.")
@click.option(
    "--call-log", type=click.Path(path_type=Path), help="File for the call log, one JSON line per permission."
)
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000),
    default=1.0,
    show_default=True,
    help="Factor by which waits run faster than on AWS.",
)
@click.option(
    "--units", type=click.Path(path_type=Path), help="Folder of <unit>.toml files that define what instances may run."
)
def serve(
    *, port: int, host: str, state: Path, enforce_iam: bool, call_log: Path | None, speed: float, units: Path | None
) -> None:
    """Serve all services on one endpoint until SIGTERM.

    Prints `localaws ready on http://127.0.0.1:PORT` when it can serve; /_localaws/health reports the same.

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
