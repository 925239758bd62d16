"""`postrank rules`: validate the rules of X's filtered stream, and apply them on request."""

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
    """The configured source is not X, or does not manage rules."""


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The streamer's TOML file.")
@click.option("--apply", "change", is_flag=True, help="Apply the changes. Without it X only validates the rules.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
def rules(path: Path, change: bool, collector: str | None) -> None:
    """Compare the configured rules with those at X, and have X validate the new ones.

    \b
    Examples:
      postrank rules --config x.toml
      postrank rules --config x.toml --apply
    """
    from postrank.sources.x import XStream
    from postrank.sources.x.rules import sync

    config = Config.load(path, os.environ, collector)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    source = build_source(config, os.environ, Clients(names.region))
    if not isinstance(source, XStream) or source.rules is None:
        raise NotX("the configuration has no rules: set the source to x and leave manage_rules on")
    following = source.following.rules() if source.following else []
    todo = sync(source.api, [*source.rules, *following], dry_run=not change)
    for rule in todo.add:
        click.echo(f"+ {rule.value}" + (f"  [{rule.tag}]" if rule.tag else ""))
    for number in todo.delete:
        click.echo(f"- rule {number}")
    click.echo(
        f"{todo.keep} unchanged, {len(todo.add)} added, {len(todo.delete)} deleted: "
        + ("done" if change else "nothing changed")
    )
