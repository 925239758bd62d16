"""`postrank rules`: what the rules of X's filtered stream are to become, tried at X, and made so when asked."""

import os
from pathlib import Path

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.errors import Fatal
from postrank.settings import Settings
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config


class NotX(Fatal):
    """The configuration's source is not X, or leaves X's rules alone."""


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The streamer's TOML file.")
@click.option("--apply", "change", is_flag=True, help="Make the change, too; without it X only checks the rules.")
def rules(path: Path, change: bool) -> None:
    """Compare the configured rules with those that X has, and have X check the new ones."""
    from postrank.sources.x import XStream
    from postrank.sources.x.rules import sync

    config = Config.load(path, os.environ)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    source = build_source(config, os.environ, Clients(names.region))
    if not isinstance(source, XStream) or source.rules is None:
        raise NotX("the configuration has no rules: its source must be x, with manage_rules as it is by default")
    following = source.following.rules() if source.following else []
    todo = sync(source.api, [*source.rules, *following], dry_run=not change)
    for rule in todo.add:
        click.echo(f"+ {rule.value}" + (f"  [{rule.tag}]" if rule.tag else ""))
    for number in todo.delete:
        click.echo(f"- rule {number}")
    click.echo(
        f"{todo.keep} stay, {len(todo.add)} new, {len(todo.delete)} go: " + ("done" if change else "nothing changed")
    )
