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
    help="Address to listen on; any address beyond loopback needs --enforce-iam.",
)  # fmt: skip
@click.option(
    "--allow-host", "allow_hosts", multiple=True, metavar="NAME",
    help="Additional name or address under which clients reach the server; repeat for several.",
)  # fmt: skip
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder for all state.")
@click.option(
    "--credentials", type=click.Path(path_type=Path, dir_okay=False),
    help="Shared credentials file that holds the root's key [default: STATE/credentials, generated].",
)  # fmt: skip
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
@click.option(
    "--functions", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of NAME.py files with a lambda_handler: the functions that Lambda processors of Firehose name.",
)  # fmt: skip
@click.option(
    "--athena", type=click.Choice(["duckdb", "trino"]), default="duckdb", show_default=True,
    help="Engine of Athena. trino runs a real Trino 476: it needs Java 24 or newer (the extra localaws[trino] brings"
    " one) and downloads 250 MB once.",
)  # fmt: skip
def serve(
    *,
    port: int,
    host: str,
    allow_hosts: tuple[str, ...],
    state: Path,
    credentials: Path | None,
    enforce_iam: bool,
    call_log: Path | None,
    speed: float,
    units: Path | None,
    functions: Path | None,
    athena: str,
) -> None:
    """Serve all services on one endpoint until SIGTERM.

    Prints `localaws ready on http://127.0.0.1:PORT` when it can serve; /_localaws/health reports the same.
    Every call needs a signature. The root's access key is generated once and kept in STATE/credentials.

    \b
    Example:
      localaws serve --state /tmp/aws &
      export AWS_SHARED_CREDENTIALS_FILE=/tmp/aws/credentials AWS_REGION=us-east-1
      aws --endpoint-url http://127.0.0.1:4566 s3 mb s3://mine
    """
    from localaws.server import CannotServe, Options, serve

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    options = Options(
        port=port,
        host=host,
        allow_hosts=allow_hosts,
        state=state,
        credentials=credentials,
        enforce_iam=enforce_iam,
        call_log=call_log,
        speed=speed,
        units=units,
        functions=functions,
        athena=athena,
    )
    try:
        serve(options)
    except CannotServe as error:
        click.echo(f"localaws: {error}", err=True)
        sys.exit(1)


@main.command()
@click.argument("role")
@click.option(
    "--credentials", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True,
    help="The server's credentials file: STATE/credentials.",
)  # fmt: skip
def token(*, role: str, credentials: Path) -> None:
    """Print the token with which a process gets the credentials of ROLE (a name), and of no other role.

    \b
    Example:
      export AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:4566/_localaws/credentials/worker
      export AWS_CONTAINER_AUTHORIZATION_TOKEN=$(localaws token worker --credentials /tmp/aws/credentials)
    """
    from localaws.core.root_key import UnusableCredentials, root_key

    try:
        click.echo(root_key(credentials).token_of(role))
    except (UnusableCredentials, OSError) as error:
        click.echo(f"localaws: {error}", err=True)
        sys.exit(1)
