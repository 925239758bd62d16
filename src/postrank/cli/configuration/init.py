"""`postrank init`: a commented configuration for chosen networks."""

from pathlib import Path

import click

from postrank.bundles.folders import CONFIG_NAME
from postrank.cli.configuration.checks import checked_bundles
from postrank.errors import Fatal

NETWORKS = ("x", "mastodon", "bluesky")
_KEYWORDS = "keywords.txt"
_HEAD = """\
# Postrank's collectors: each reads one network and writes into the same lake.
#   check     postrank config diff .           (what a push would change)
#   publish   postrank config push .           (hosts take it within a minute)
#   observe   postrank config status
# docs/operations/sources.md lists every option; docs/operations/configuration.md says which changes restart a host.

state = "/var/lib/postrank"               # cursor, spool, ledgers; a host keeps its own
"""
_FILTERS = """
# Which posts are sent on. Every condition that is set must hold; remove the table to take everything.
[collectors.{name}.filters]
keywords_file = "keywords.txt"            # one a line; applied without a restart
# languages = ["en"]
# types = ["original", "reply", "repost", "quote"]

# What the network sent of each post, kept below raw/json/ for as long as the posts' lines:
# [collectors.{name}.raw]
# keep = true
"""
_SOURCES = {
    "x": """
[collectors.x.source]
kind = "x"
bearer_token = "{x_token}"
daily_budget = 5.0                        # US dollars; reading stops before it is exceeded
monthly_budget = 100.0
# gap_query = "postrank lang:en"          # recent search that fills gaps, paid for like posts
# follow_file = "handles.txt"             # handles, one a line, that become rules
# The rules of the filtered stream; applied without a restart.
rules = [{{value = "postrank lang:en", tag = "postrank"}}]
""",
    "mastodon": """
[collectors.mastodon.source]
kind = "mastodon"

[[collectors.mastodon.source.instances]]
url = "{instance}"
token = "{mastodon_token}"
stream = "public:local"                   # or public, public:remote, hashtag:<tag>
""",
    "bluesky": """
[collectors.bluesky.source]
kind = "bluesky"                          # public: no account and no token
# Likes are about ten events for each post:
# collections = ["app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.feed.like"]
""",
}
_HINTS = {
    "x": "x: put the bearer token into {x_token}; check it with `postrank auth x`",
    "mastodon": "mastodon: `postrank auth mastodon {instance}` obtains a token, which goes into {mastodon_token}",
    "bluesky": "bluesky: needs no secret; `postrank auth bluesky` checks the connection",
}


class FileExists(Fatal):
    """A file is there that would be overwritten."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), required=False)
@click.option(
    "--network", "networks", type=click.Choice(NETWORKS), multiple=True, required=True, help="May be repeated."
)
@click.option(
    "--instance", default="https://mastodon.social", show_default=True, help="URL of the Mastodon instance to read."
)
@click.option(
    "--environment",
    help="Take tokens from Secrets Manager of this environment. Default: from variables of the process.",
)
def init(folder: Path, networks: tuple[str, ...], instance: str, environment: str | None) -> None:
    """Write a valid, commented configuration for the chosen networks into FOLDER, and say where each secret belongs.

    \b
    Examples:
      postrank init --network bluesky
      postrank init collectors/ --network x --network mastodon --network bluesky --environment prod
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG_NAME, _KEYWORDS):
        if (folder / name).exists():
            raise FileExists(f"{folder / name} exists: name another folder, or remove it")
    places = {
        "x_token": f"secretsmanager:postrank-{environment}-x" if environment else "env:X_BEARER_TOKEN",
        "mastodon_token": f"secretsmanager:postrank-{environment}-mastodon" if environment else "env:MASTODON_TOKEN",
        "instance": instance.rstrip("/"),
    }
    selected = [network for network in NETWORKS if network in networks]
    tables = [_SOURCES[network].format(**places) + _FILTERS.format(name=network) for network in selected]
    (folder / _KEYWORDS).write_text("# Keywords, one a line.\npostrank\n", encoding="utf-8")
    (folder / CONFIG_NAME).write_text(_HEAD + "".join(tables), encoding="utf-8")
    checked_bundles(folder / CONFIG_NAME)
    click.echo(f"wrote {folder / CONFIG_NAME} and {folder / _KEYWORDS}")
    for network in selected:
        click.echo(_HINTS[network].format(**places))
