"""`postrank auth`: a token of Mastodon by OAuth; whether X and Bluesky serve what is configured."""

import json
import os
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.cli.command_group import CommandGroup
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.options import Secret
from postrank.settings import Settings
from postrank.sources import Askable
from postrank.sources.mastodon.api import STREAMS, Api
from postrank.sources.mastodon.oauth import OUT_OF_BAND, Callback, Registration
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config, read_map

_config = click.option(
    "--config", "path", type=click.Path(path_type=Path), help="Check the source of this file instead of a default one."
)
_collector = click.option("--collector", help="The collector, if the file has several.")


class NoPlace(Fatal):
    """A token was asked for and there is no place for it."""


@click.group(cls=CommandGroup)
def auth() -> None:
    """Obtain a token of Mastodon; check those of X and Bluesky. No token is ever printed.

    \b
    Examples:
      postrank auth mastodon https://mastodon.example --file mastodon.token
      X_BEARER_TOKEN=$(cat x.token) postrank auth x
    """


@auth.command()
@click.argument("url")
@click.option(
    "--file", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the token here, mode 0600."
)
@click.option(
    "--secret", "secret", help="Write it to this entry of Secrets Manager: NAME, or NAME#KEY for one of several."
)
@click.option("--no-browser", is_flag=True, help="Print the page's address, and ask for the code that it shows.")
@click.option("--seconds", type=click.FloatRange(min=1), default=300, show_default=True, help="Wait for the approval.")
def mastodon(url: str, file: Path | None, secret: str | None, *, no_browser: bool, seconds: float) -> None:
    """Obtain a user's token (scope read:statuses) from the instance at URL.

    A browser opens the page of the instance; after you approve, the token is checked and stored. With --secret, the
    environment is that of POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION, `default` is its own entry.

    \b
    Examples:
      postrank auth mastodon https://mastodon.example --file mastodon.token
      postrank auth mastodon https://mastodon.example --secret default
      postrank auth mastodon https://other.example --secret 'default#other.example' --no-browser
    """
    if (file is None) == (secret is None):
        raise NoPlace("say where the token goes: --file PATH, or --secret NAME of Secrets Manager")
    url = url.rstrip("/")
    store = _into_file(file) if file is not None else _into_secret(str(secret))
    token = _out_of_band(url) if no_browser else _by_browser(url, seconds)
    Api(url, token, STREAMS[0]).page(min_id="0")
    click.echo(f"{url} takes the token; stored in {store(token)}")


@auth.command()
@_config
@_collector
def x(path: Path | None, collector: str | None) -> None:
    """Check whether X takes the token, without reading a post: X_BEARER_TOKEN, or that of --config.

    \b
    Examples:
      X_BEARER_TOKEN=$(cat x.token) postrank auth x
      postrank auth x --config collectors.toml --collector x-brands
    """
    budgets = {"daily_budget": 10.0, "monthly_budget": 100.0}  # of a source that is not read
    source = {"kind": "x", "bearer_token": "env:X_BEARER_TOKEN", "rules": [{"value": "postrank"}], **budgets}
    click.echo(_ask(path, collector, {"source": source}))


@auth.command()
@_config
@_collector
def bluesky(path: Path | None, collector: str | None) -> None:
    """Check whether Bluesky's Jetstream can be read. It needs no account and no token.

    \b
    Examples:
      postrank auth bluesky
    """
    click.echo(_ask(path, collector, {"source": {"kind": "bluesky"}}))


def _ask(path: Path | None, collector: str | None, table: Document) -> str:
    """What the network says. Raises WrongSettings, NoSecret, and what its source raises."""
    with tempfile.TemporaryDirectory(prefix="postrank-auth-") as state:
        if path is None:
            config = Config.local(None, table, os.environ, Path(state))
        else:
            config = Config.of_collector(read_map(path).pick(collector), os.environ, path)
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        source = build_source(config, os.environ, Clients(region))
        return source.ask() if isinstance(source, Askable) else f"{config.source} asks nobody for anything"


def _by_browser(url: str, seconds: float) -> Secret:
    callback = Callback()
    try:
        registration = Registration.of(url, callback.url)
        click.echo(f"Approve Postrank in your browser:\n  {registration.page}")
        sys.stdout.flush()
        webbrowser.open(registration.page)
        return registration.token(callback.code(registration.state, seconds))
    finally:
        callback.close()


def _out_of_band(url: str) -> Secret:
    registration = Registration.of(url, OUT_OF_BAND)
    click.echo(f"Open this page, approve, and copy the code that it shows:\n  {registration.page}")
    return registration.token(click.prompt("Code", hide_input=True).strip())


def _into_file(path: Path) -> Callable[[Secret], str]:
    """Stores a token in a file that its owner alone may read; what is there is replaced as a whole."""
    if not path.parent.is_dir():
        raise NoPlace(f"{path.parent} is no folder")

    def store(token: Secret) -> str:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{token.reveal()}\n")
        Path(name).replace(path)
        return f"{path} (mode 0600): hand it over as MASTODON_TOKEN=$(cat {path}), token = 'env:MASTODON_TOKEN'"

    return store


def _into_secret(reference: str) -> Callable[[Secret], str]:
    """Stores a token in an entry of Secrets Manager that Terraform made."""
    settings = Settings.of(os.environ)
    resources = Resources.of(settings.environment, settings.account, settings.region)
    name, _, key = reference.removeprefix("secretsmanager:").partition("#")
    name = resources.secrets["mastodon"] if name == "default" else name
    client = Clients(resources.region).get("secretsmanager")

    def store(token: Secret) -> str:
        text = token.reveal()
        if key:
            try:
                current = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
            except (client.exceptions.ResourceNotFoundException, ValueError):
                current = {}
            text = json.dumps({**(current if isinstance(current, dict) else {}), key: text})
        client.put_secret_value(SecretId=name, SecretString=text)
        return f"Secrets Manager: token = 'secretsmanager:{name}{f'#{key}' if key else ''}'"

    return store
