"""The facts of a deployed environment on a terminal: `postrank status --environment NAME`."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

import click
from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.environments.facts import Fact, is_unwell
from postrank.environments.status import Status
from postrank.errors import Fatal
from postrank.settings import Settings

_SIGNS = {True: "✓", False: "✗", None: "·"}


class NoEnvironment(Fatal):
    """An environment cannot be read."""

    def __init__(self, name: str, reason: Exception) -> None:
        super().__init__(
            f"the environment {name} cannot be read: {reason}. Do POSTRANK_ACCOUNT, AWS_REGION and the credentials "
            "belong to it?"
        )


def show_environment(name: str, *, as_json: bool) -> int:
    """Print the facts of an environment. Returns the exit status: 1 if one of them is not well."""
    settings = Settings.of({**os.environ, "POSTRANK_ENVIRONMENT": name})
    resources = Resources.of(settings.environment, settings.account, settings.region)
    clients = Clients(resources.region)
    facts: list[Fact] = []
    try:
        for fact in Status(clients.get, resources, datetime.now(UTC)).facts():
            facts.append(fact)
            if not as_json:
                click.echo(f"{_SIGNS[fact.is_well]} {fact.topic:<11} {fact.text}")
    except (ClientError, BotoCoreError) as error:
        raise NoEnvironment(name, error) from error
    if as_json:
        click.echo(json.dumps([asdict(fact) for fact in facts], ensure_ascii=False, indent=2))
    return int(is_unwell(facts))
