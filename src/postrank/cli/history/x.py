"""`postrank x`: ask X about a query before it is paid for."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from postrank.aws.clients import Clients
from postrank.cli.command_group import CommandGroup
from postrank.errors import Fatal
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config


class WrongRequest(Fatal):
    """The request is not possible with this configuration."""


@click.group(cls=CommandGroup)
def x() -> None:
    """Ask X about a query before it is paid for.

    \b
    Examples:
      postrank x counts --config x.toml --query "cats lang:en"
    """


@x.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="TOML file with the token.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
@click.option("--query", required=True, help="A query of X's recent search.")
@click.option("--from", "since", help="Start, RFC 3339, at most seven days ago. Default: seven days ago.")
@click.option("--to", "until", help="End (not included), RFC 3339. Default: now.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def counts(path: Path, collector: str | None, query: str, since: str | None, until: str | None, form: str) -> None:
    """Say how many posts match a query, what reading them costs, and whether the budgets allow it. No post is read.

    The price of a post and the budgets are those of the configuration; what was spent is counted below its `state`. X
    counts the posts of the last seven days; deleted and protected ones, which a search does not return, may be among
    them.

    \b
    Examples:
      postrank x counts --config x.toml --query "cats lang:en"
      postrank x counts --config x.toml --query "cats" --from 2026-11-24T00:00:00Z --to 2026-11-25T00:00:00Z

    \b
    Exit status: 0 if the budgets allow the posts, 1 if they do not, 2 and 75 as usual.
    """
    from postrank.sources.x import XStream  # tweepy is slow to import
    from postrank.sources.x.lookups.counts import price

    if (since is None) != (until is None):
        raise WrongRequest("name both --from and --to, or neither")
    config = Config.load(path, os.environ, collector)
    source = build_source(config, os.environ, Clients(os.environ.get("AWS_REGION") or "us-east-1"))
    if not isinstance(source, XStream):
        raise WrongRequest(f"{path} reads {config.source}, and only X's queries have a price")
    priced = price(source.api, source.spend, query, _instant(since), _instant(until))
    if form == "json":
        numbers = {name: getattr(priced, name) for name in ("posts", "cost", "price", "calls", "affordable", "fits")}
        left = {"left_today": priced.left_today, "left_this_month": priced.left_this_month}
        click.echo(json.dumps({"query": query, **numbers, **left, "days": priced.days}))
    else:
        for day, posts in priced.days.items():
            click.echo(f"{day[:10]}  {posts:>12,} posts")
        click.echo(
            f"{priced.posts:,} posts cost ${priced.cost:,.2f} at ${priced.price:g} each, in {priced.calls:,} calls\n"
            f"budgets leave ${priced.left_today:,.2f} today, ${priced.left_this_month:,.2f} this month: "
            f"{priced.affordable:,} posts with the margin"
        )
        click.echo("the budgets allow it" if priced.fits else "the budgets do not allow it")
    if not priced.fits:
        raise SystemExit(1)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise WrongRequest(f"{value!r} is not an RFC 3339 time: write it as 2026-11-24T05:00:00Z") from error
    if moment.tzinfo is None:
        raise WrongRequest(f"{value!r} has no offset: write it in UTC with a Z")
    return moment.astimezone(UTC)
