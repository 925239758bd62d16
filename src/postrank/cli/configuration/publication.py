"""`postrank config`: publish configurations to the hosts, and see what they run."""

import difflib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.bundles.bundle import Bundle
from postrank.bundles.folders import CONFIG_NAME, commit_of, folder_at
from postrank.bundles.publications import Publications
from postrank.cli.command_group import CommandGroup
from postrank.cli.configuration.checks import checked_bundles
from postrank.collectors.registry import Registry
from postrank.heartbeat import Heartbeat, NoHeartbeat, read_heartbeat
from postrank.posts.times import to_text
from postrank.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_folder = click.argument(
    "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path(), required=False
)
_file = click.option(
    "--config", "name", default=CONFIG_NAME, show_default=True, help="The TOML file, by its name in FOLDER."
)
_ref = click.option("--ref", help="Take FOLDER as it is in this commit, branch or tag of its git repository.")
_collectors = click.option(
    "--collector", "collectors", multiple=True, help="Only this collector of the file; may be repeated."
)


@click.group(cls=CommandGroup)
def config() -> None:
    """Publish configurations to the hosts, and see what they run.

    A bundle is a collector's configuration with the files that it names: handles, keywords, rules, mappings. Hosts look
    for a new one every 30 s, check it as a whole, apply filters, handles and rules without a restart, and restart
    themselves for anything else. A bundle that makes a host unhealthy is rolled back.

    POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION name the account; the role postrank-ENVIRONMENT-deployer may
    publish.

    \b
    Examples:
      postrank config diff collectors/
      postrank config push collectors/
      postrank config status
    """


@config.command()
@_folder
@_file
@_ref
@_collectors
@click.option("--dry-run", is_flag=True, help="Check everything, publish nothing.")
@click.option("--again", is_flag=True, help="Publish the same content as a new version, which hosts try again.")
def push(folder: Path, name: str, ref: str | None, collectors: Sequence[str], *, dry_run: bool, again: bool) -> None:
    """Publish the configuration in FOLDER to the hosts of its collectors.

    All collectors are checked before any is published: keys, filters, rules, files, and that
    secrets are references. Only collectors whose content differs from what is published get a new version.

    \b
    Examples:
      postrank config push collectors/
      postrank config push collectors/ --ref v12 --collector x-brands     # return to an earlier state
      postrank config push --dry-run                                      # in CI, for a pull request
    """
    with folder_at(folder, ref) as source:
        bundles = checked_bundles(source / name, collectors)
    names, clients = _cloud()
    s3 = clients.get("s3")
    registry = Registry(s3, names)
    for collector in bundles:
        registry.entry(collector)
    if dry_run:
        click.echo(f"valid: {', '.join(f'{key} ({bundle.checksum[:12]})' for key, bundle in bundles.items())}")
        return
    publisher = str(clients.get("sts").get_caller_identity()["Arn"])
    commit = commit_of(folder, ref)
    for collector, bundle in bundles.items():
        publications = Publications(s3, names.buckets["artifacts"], collector)
        publication, new = publications.publish(
            bundle, at=to_text(datetime.now(UTC)), by=publisher, commit=commit, again=again
        )
        click.echo(f"{collector}: {'published' if new else 'unchanged,'} {publication.short}")


@config.command()
@_collectors
def status(collectors: Sequence[str]) -> None:
    """Show what is published for each collector and what its host runs.

    \b
    Exit status:
      0  every host runs what is published for it
      1  a host does not, or rejected it

    \b
    Examples:
      postrank config status
      postrank config status --collector x-brands
    """
    names, clients = _cloud()
    s3 = clients.get("s3")
    behind = False
    for collector in collectors or Registry(s3, names).names():
        published = Publications(s3, names.buckets["artifacts"], collector).current()
        beat = _heartbeat(s3, names.of_collector(collector))
        click.echo(f"{collector}:")
        if published is None:
            click.echo("  published  nothing")
        else:
            commit = f", commit {published.commit}" if published.commit else ""
            click.echo(
                f"  published  {published.short} at {published.published_at} by {published.published_by}{commit}"
            )
        click.echo(f"  host       {_running(beat)}")
        behind |= published is not None and _checksum(beat) != published.checksum
    sys.exit(1 if behind else 0)


@config.command()
@_folder
@_file
@_ref
@_collectors
def diff(folder: Path, name: str, ref: str | None, collectors: Sequence[str]) -> None:
    """Show what a push of FOLDER would change, as a unified diff.

    \b
    Exit status:
      0  nothing differs
      1  something differs

    \b
    Examples:
      postrank config diff collectors/
    """
    with folder_at(folder, ref) as source:
        bundles = checked_bundles(source / name, collectors)
    names, clients = _cloud()
    differs = False
    for collector, bundle in bundles.items():
        publications = Publications(clients.get("s3"), names.buckets["artifacts"], collector)
        published = publications.current()
        before = publications.bundle(published) if published else Bundle({})
        for line in _differences(collector, before, bundle, published.short if published else "nothing"):
            differs = True
            click.echo(line)
    sys.exit(1 if differs else 0)


def _differences(collector: str, before: Bundle, after: Bundle, version: str) -> Iterator[str]:
    for name in sorted({*before.files, *after.files}):
        old = _lines(before, name)
        new = _lines(after, name)
        published = f"{collector}/{name}  {version}"
        candidate = f"{collector}/{name}  to be published"
        yield from difflib.unified_diff(old, new, published, candidate, lineterm="")


def _lines(bundle: Bundle, name: str) -> list[str]:
    return bundle.files.get(name, b"").decode(errors="replace").splitlines()


def _running(beat: Heartbeat | None) -> str:
    if beat is None:
        return "sends no heartbeat"
    return f"{beat.configuration_text() or 'runs its own file'}; {beat.phase}, heartbeat of {beat.written_at}"


def _checksum(beat: Heartbeat | None) -> str | None:
    return beat.configuration.get("checksum") if beat and beat.configuration else None


def _heartbeat(s3: "S3Client", names: Resources) -> Heartbeat | None:
    try:
        return read_heartbeat(s3, names.buckets["raw"], names.keys["heartbeat"])
    except NoHeartbeat:
        return None


def _cloud() -> tuple[Resources, Clients]:
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return names, Clients(names.region)
