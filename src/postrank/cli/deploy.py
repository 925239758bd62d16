"""`postrank deploy`: publish a release of the streamer and deploy it to the host; releases of the DAGs."""

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType

import click

from postrank.aws.resources import MAIN
from postrank.cli.command_group import CommandGroup
from postrank.cli.deployment.account import aws_errors, cloud
from postrank.cli.deployment.dags import dags, pull
from postrank.collectors.registry import Registry
from postrank.deploy.failures import DeploymentFailed, Interrupted
from postrank.deploy.host import Host
from postrank.deploy.marker import Marker
from postrank.deploy.release import BadRelease, Release, build, checked_version, version_of
from postrank.deploy.rollout import Rollout
from postrank.deploy.shelf import Shelf
from postrank.heartbeat import read_heartbeat

_dist = click.option(
    "--dist",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Publish this built release (`postrank deploy build`) instead of building one from this checkout.",
)


@click.group(cls=CommandGroup)
def deploy() -> None:
    """Publish releases, and deploy them: the streamer to its hosts, the DAGs to Airflow.

    POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION name the account. Credentials come from boto3's usual chain;
    prefer the role postrank-ENVIRONMENT-deployer, which has no other permissions.

    \b
    Examples:
      postrank deploy build dist/0.2.0
      postrank deploy streamer --version 0.2.0
      postrank deploy dags
    """


deploy.add_command(dags)
deploy.add_command(pull)


@deploy.command("build")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def build_release(folder: Path) -> None:
    """Build this checkout's wheel, locked requirements and checksums into the empty FOLDER.

    \b
    Examples:
      postrank deploy build dist/0.2.0
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadRelease(f"{folder} is not empty")
    click.echo(f"built {build(Path.cwd(), folder).version} into {folder}")


@deploy.command()
@_dist
def publish(dist: Path | None) -> None:
    """Upload a release to the artifacts bucket, from which hosts install.

    A published version never changes: publishing the same build again succeeds, a different build is rejected.

    \b
    Examples:
      postrank deploy publish
      postrank deploy publish --dist dist/0.2.0
    """
    names, clients = cloud()
    shelf = Shelf(clients.get("s3"), names.buckets["artifacts"])
    with aws_errors():
        _publish(shelf, dist, None)


@deploy.command()
@click.option("--collector", default=MAIN, show_default=True, help="The collector whose host gets the version.")
@click.option("--version", "requested_version", required=True, metavar="X", help="The version to run, such as 0.2.0.")
@_dist
@click.option(
    "--patience", type=click.IntRange(5, 3600), default=180, show_default=True,
    help="Seconds for the new version to start and send heartbeats before it is rolled back.",
)  # fmt: skip
@click.option(
    "--steady", type=click.IntRange(0, 600), default=15, show_default=True,
    help="Seconds between the first and the last heartbeat that confirm the new version.",
)  # fmt: skip
def streamer(*, collector: str, requested_version: str, dist: Path | None, patience: int, steady: int) -> None:
    """Deploy version X to a collector's host; roll back if it sends no heartbeats.

    \b
    1. Publish X from this checkout or --dist, unless it is already published.
    2. Take the deploy marker, which keeps other deployments and supervise_streamer away.
    3. Install X next to the running version (Systems Manager; the host verifies checksums).
    4. Activate it and restart the service.
    5. Wait for heartbeats of X. If there are none, roll back and wait for heartbeats again.
    6. Make X the version that hosts boot; clear the marker.

    Nothing is lost: cursor and spool stay. Ctrl-C or SIGTERM rolls X back. After SIGKILL the marker expires within two
    minutes, and the next deployment or supervise_streamer takes over.

    \b
    Exit status:
      0  X runs
      2  invalid usage, settings or credentials; nothing was changed
      3  another deployment is running; nothing was changed
      4  X was not installed; the previous version keeps running
      5  X was rolled back; the previous version works again
      6  X was tried, and no version sends heartbeats: see streamer-silent in docs/runbook.md

    \b
    Examples:
      postrank deploy streamer --version 0.2.0
      postrank deploy streamer --version 0.2.0 --collector x-brands
      postrank deploy streamer --version 0.1.0          # return to a version published before
    """
    version = checked_version(requested_version)
    names, clients = cloud()
    s3 = clients.get("s3")
    raw = names.buckets["raw"]
    with aws_errors():
        names = names.of_collector(Registry(s3, names).entry(collector).name)
    shelf = Shelf(s3, names.buckets["artifacts"])
    marker = Marker(s3, raw, names.keys["deploy_marker"])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        with aws_errors():
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
        click.echo("postrank: interrupted before anything was changed", err=True)
        sys.exit(4)
    click.echo(f"deployed {version}")


def _publish(shelf: Shelf, dist: Path | None, version: str | None) -> str:
    """Publish the release of `dist`, or of this checkout; returns the digest of its checksums."""
    here = version_of(Path.cwd())
    if dist is None and (here is None or version not in (None, here)):
        is_here = f"this checkout is {here}" if here else "this folder is not a checkout of Postrank"
        raise BadRelease(
            f"{is_here}{f', and {version} is not published' if version else ''}: check it out, or pass --dist"
        )
    with tempfile.TemporaryDirectory(prefix="postrank-release-") as folder:
        release = Release.of(dist) if dist else build(Path.cwd(), Path(folder))
        if version not in (None, release.version):
            raise BadRelease(f"{version} is not published, and {dist} holds {release.version}")
        done = "published" if shelf.publish(release) else "was already published, unchanged:"
        click.echo(f"{release.version} {done} s3://{shelf.bucket}/streamer/{release.version}/")
        return release.sums_digest


def _progress() -> Callable[[str], None]:
    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - began:5.0f} s  {text}")

    return say


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """The first signal rolls the release back; further signals must not interrupt that."""
    for handled in (signal.SIGTERM, signal.SIGINT):
        signal.signal(handled, signal.SIG_IGN)
    raise Interrupted(f"signal {signal.Signals(number).name}")
