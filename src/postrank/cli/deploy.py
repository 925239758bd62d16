"""`postrank deploy`: publish a release of the streamer, and bring one to its host."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

import click
from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.deploy.failures import DeploymentFailed, Interrupted
from postrank.deploy.host import Host
from postrank.deploy.marker import Marker
from postrank.deploy.release import BadRelease, Release, build, checked_version, version_of
from postrank.deploy.rollout import Rollout
from postrank.deploy.shelf import Shelf
from postrank.errors import Fatal
from postrank.heartbeat import read_heartbeat
from postrank.settings import Settings

_dist = click.option(
    "--dist",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A built release (`postrank deploy build`) to publish, instead of building one from this checkout.",
)


class RefusedByAws(Fatal):
    """A call that the caller may not make, or that could not be made."""


@click.group()
def deploy() -> None:
    """Publish a release of the streamer, and bring one to its host.

    The account is that of POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION; credentials are boto3's, best those of
    the role postrank-ENVIRONMENT-deployer, which may do this and nothing else.
    """


@deploy.command("build")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def build_release(folder: Path) -> None:
    """Build this checkout's wheel, its locked requirements and their checksums into FOLDER, which must be empty."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadRelease(f"{folder} is not empty")
    click.echo(f"built {build(Path.cwd(), folder).version} into {folder}")


@deploy.command()
@_dist
def publish(dist: Path | None) -> None:
    """Put a release into the artifacts bucket, where hosts find it.

    A published version is never changed: the same again is no error, another build of it is refused.
    """
    names, clients = _cloud()
    shelf = Shelf(clients.get("s3"), names.buckets["artifacts"])
    with _aws_errors():
        _publish(shelf, dist, None)


@deploy.command()
@click.option("--version", "wanted", required=True, metavar="X", help="The version to run, such as 0.2.0.")
@_dist
@click.option(
    "--patience", type=click.IntRange(5, 3600), default=180, show_default=True,
    help="Seconds that the new version has to start and prove itself; then it is taken back.",
)  # fmt: skip
@click.option(
    "--steady", type=click.IntRange(0, 600), default=15, show_default=True,
    help="Seconds between the first and the last of the heartbeats that prove it.",
)  # fmt: skip
def streamer(*, wanted: str, dist: Path | None, patience: int, steady: int) -> None:
    """Bring version X to the streamer's host; if it stays silent, bring the one before it back.

    \b
    1. Publish X from this checkout or --dist, unless it is published already.
    2. Take the deploy marker: no second deployment, no healing by supervise_streamer meanwhile.
    3. Install X beside what runs (Systems Manager; checksums are verified on the host).
    4. Make it the one that runs, and restart the service.
    5. Wait for heartbeats of X. If none come: back to the version before, and wait for its heartbeats.
    6. Have hosts boot X from now on; clear the marker.

    Nothing is lost meanwhile: cursor and spool stay. Ctrl-C or SIGTERM takes X back; after SIGKILL the marker lapses
    within two minutes, and the next deployment or supervise_streamer takes over from there.

    \b
    Exit status:
      0  X runs
      2  wrong use, settings or credentials; nothing was touched
      3  another deployment goes on; nothing was touched
      4  X was not installed; what ran before runs on
      5  X was tried and taken back; the version before works again
      6  X was tried, and nothing beats: look at docs/runbook.md, streamer-silent

    \b
    Examples:
      postrank deploy streamer --version 0.2.0
      postrank deploy streamer --version 0.1.0          # back to what was published before
    """
    version = checked_version(wanted)
    names, clients = _cloud()
    s3, raw = clients.get("s3"), names.buckets["raw"]
    shelf = Shelf(s3, names.buckets["artifacts"])
    marker = Marker(s3, raw, names.keys["deploy_marker"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with _aws_errors():
            digest = shelf.digest(version) or _publish(shelf, dist, version)
            Rollout(
                host=Host(clients.get("ec2"), clients.get("ssm"), names.streamer, marker.renew),
                marker=marker,
                beat=lambda: read_heartbeat(s3, raw, names.keys["heartbeat"]),
                point=shelf.point,
                say=_progress(),
                patience=timedelta(seconds=patience),
                steady=timedelta(seconds=steady),
            ).run(version, digest, str(clients.get("sts").get_caller_identity()["Arn"]))
    except DeploymentFailed as error:
        click.echo(f"postrank: {error}", err=True)
        sys.exit(error.status)
    except Interrupted:
        click.echo("postrank: interrupted before anything was touched", err=True)
        sys.exit(4)
    click.echo(f"deployed {version}")


def _cloud() -> tuple[Resources, Clients]:
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    return names, Clients(names.region)


def _publish(shelf: Shelf, dist: Path | None, version: str | None) -> str:
    """Publish the release of `dist`, or of this checkout; returns the digest of its checksums."""
    here = version_of(Path.cwd())
    if dist is None and (here is None or version not in (None, here)):
        is_here = f"this checkout is {here}" if here else "this folder is no checkout of Postrank"
        raise BadRelease(
            f"{is_here}{f', and {version} is not published' if version else ''}: check it out, or name it with --dist"
        )
    with tempfile.TemporaryDirectory(prefix="postrank-release-") as folder:
        release = Release.of(dist) if dist else build(Path.cwd(), Path(folder))
        if version not in (None, release.version):
            raise BadRelease(f"{version} is not published, and {dist} holds {release.version}")
        done = "published" if shelf.publish(release) else "was published before, unchanged:"
        click.echo(f"{release.version} {done} s3://{shelf.bucket}/streamer/{release.version}/")
        return release.sums_digest


@contextmanager
def _aws_errors() -> Iterator[None]:
    """Turns boto3's errors into one of Postrank's. A rollout lets none through that came after it touched anything."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise RefusedByAws(f"nothing was touched: {error}") from error


def _progress() -> Callable[[str], None]:
    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - began:5.0f} s  {text}")

    return say


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """The first signal takes the release back; that is not to be interrupted in turn."""
    for handled in (signal.SIGTERM, signal.SIGINT):
        signal.signal(handled, signal.SIG_IGN)
    raise Interrupted(f"signal {signal.Signals(number).name}")
