"""`postrank provision`: create on a local AWS what Terraform creates in an account."""

import os

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.laptop.provision import Provision
from postrank.settings import Settings


class NotLocal(Fatal):
    """The command was pointed at AWS itself."""


@click.command()
@click.option("--unit", help="Also start the streamer's instance with this unit of the local AWS.")
def provision(unit: str | None) -> None:
    """Create Postrank's resources on the local AWS at AWS_ENDPOINT_URL, unless they exist.

    For a local AWS in a container; `postrank up` does this itself. In an account, use Terraform.

    \b
    Examples:
      AWS_ENDPOINT_URL=http://127.0.0.1:4566 POSTRANK_ACCOUNT=123456789012 postrank provision
    """
    if not os.environ.get("AWS_ENDPOINT_URL"):
        raise NotLocal("AWS_ENDPOINT_URL is not set: this command is for a local AWS; in an account, apply terraform/")
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    created = Provision(Clients(names.region).get, names)
    if created.exists():
        click.echo("the resources exist")
        return
    for kind in created.base():
        click.echo(f"created {kind}")
    if unit:
        created.streamer(unit)
        click.echo(f"started the instance with unit {unit}")
