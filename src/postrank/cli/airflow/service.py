"""`postrank airflow`: fill the keys and prepare the database of Airflow on ECS."""

import os

import click

from postrank.airflow_service.keys import KEYS, fill
from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.cli.command_group import CommandGroup
from postrank.errors import Fatal
from postrank.extras import require
from postrank.settings import Settings

_VARIABLE = "POSTRANK_METADATA_PASSWORD"


class NoPassword(Fatal):
    """The environment has no password for Airflow's role."""


@click.group(cls=CommandGroup)
def airflow() -> None:
    """Prepare Airflow on ECS (Terraform's variable airflow_ecs).

    \b
    Examples:
      postrank airflow keys
    """


@airflow.command()
@click.option("--renew", multiple=True, type=click.Choice(list(KEYS)), help="Replace this key; may be repeated.")
def keys(renew: tuple[str, ...]) -> None:
    """Give the keys of Airflow random values, unless they have one. Values are never shown.

    Run it after Terraform created the secrets and before the services start. A key that is replaced reaches a service
    with its next deployment: deploy all of them, the scheduler first.

    \b
    Environment:
      POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT, AWS_REGION   which Airflow

    \b
    Examples:
      postrank airflow keys
      postrank airflow keys --renew jwt-secret
    """
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    client = Clients(names.region).get("secretsmanager")
    for secret, fresh in fill(client, names.roles["airflow"], renew):
        click.echo(f"{secret}: {'has a new value' if fresh else 'keeps its value'}")


@airflow.command()
def database() -> None:
    """Create or update Airflow's role in its metadata database, as the database's master user.

    The scheduler's task runs it before each start; it changes nothing but the role's password and rights.

    \b
    Environment:
      PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE, PGSSLROOTCERT   the master user
      POSTRANK_METADATA_PASSWORD                                                 the password of the role

    \b
    Examples:
      PGHOST=127.0.0.1 PGDATABASE=airflow PGUSER=postrank postrank airflow database
    """
    require("psycopg", "alembic")
    from postrank.airflow_service.database import ROLE, prepare

    password = os.environ.get(_VARIABLE)
    if not password:
        raise NoPassword(f"{_VARIABLE} is not set: it is the password of the role {ROLE}")
    prepare(password)
    click.echo(f"the role {ROLE} is ready")
