"""`postrank deploy dags` and `postrank deploy pull`: releases of DAGs, plugins and SQL."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from postrank.cli.deployment.account import aws_errors, cloud
from postrank.deploy.dag_release import AIRFLOW, DagRelease, build_dags
from postrank.deploy.dag_shelf import ROOT, DagShelf
from postrank.posts.times import to_text


@click.command()
@click.option("--version", metavar="X", help="Activate this published release, such as 0.1.0-3f9a01c2.")
@click.option("--rollback", is_flag=True, help="Activate the release before the active one.")
@click.option("--mwaa", is_flag=True, help="Copy the active release to where Amazon MWAA reads.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Only build the release, into this folder."
)
def dags(version: str | None, *, rollback: bool, mwaa: bool, out: Path | None) -> None:
    """Publish this checkout's DAGs, plugins and SQL as a release, and activate it.

    A release has the version and the commit of the checkout, and checksums of its files; it never changes. Hosts that
    run `postrank deploy pull` switch to the active release at once. For Amazon MWAA, --mwaa copies the files, which it
    reads one by one, the DAGs last; changed requirements take effect when Terraform is applied.
    The note of every DAG run names the release that it ran on.

    \b
    Examples:
      postrank deploy dags
      postrank deploy dags --mwaa
      postrank deploy dags --rollback
      postrank deploy dags --version 0.1.0-3f9a01c2
    """
    if version and rollback:
        raise click.UsageError("--version and --rollback exclude each other.")
    names, clients = cloud()
    if out is not None:
        release = build_dags(Path.cwd(), out, environment=names.environment, account=names.account)
        click.echo(f"built {release.version} into {out}, for Airflow {AIRFLOW} on Amazon MWAA")
        return
    shelf = DagShelf(clients.get("s3"), names.buckets["artifacts"])
    with aws_errors("the active release is what it was"):
        by = str(clients.get("sts").get_caller_identity()["Arn"])
        if not (version or rollback):
            with tempfile.TemporaryDirectory(prefix="postrank-dags-") as folder:
                release = build_dags(Path.cwd(), Path(folder), environment=names.environment, account=names.account)
                version = _published(shelf, release)
        at = to_text(datetime.now(UTC))
        active = shelf.activate(version, at=at, by=by) if version else shelf.roll_back(at=at, by=by)
    before = f", before it {active.previous_version}" if active.previous_version else ""
    click.echo(f"active: {active.version}{before}")
    if mwaa:
        with aws_errors(f"{active.version} is active, but not all of it where MWAA reads: repeat the command"):
            copied, removed = shelf.copy_for_mwaa(active.version)
        click.echo(f"for MWAA: {copied} files copied, {removed} removed")


def _published(shelf: DagShelf, release: DagRelease) -> str:
    done = "published" if shelf.publish(release) else "was already published, unchanged:"
    click.echo(f"{release.version} {done} s3://{shelf.bucket}/{ROOT}/releases/{release.version}/")
    return release.version


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def pull(folder: Path) -> None:
    """Bring the active release of the DAGs to FOLDER/current on a host of Airflow, and keep the one before.

    Files are checked against their checksums; `current` is a link that changes when all are there. Have Airflow read
    FOLDER/current/dags and FOLDER/current/plugins, and POSTRANK_INCLUDE name FOLDER/current/dags/include. A timer that
    repeats the command follows deployments.

    \b
    Examples:
      postrank deploy pull /srv/postrank
    """
    names, clients = cloud()
    with aws_errors(f"{folder}/current is what it was"):
        version, is_new = DagShelf(clients.get("s3"), names.buckets["artifacts"]).pull(folder)
    click.echo(f"{folder}/current is {'now' if is_new else 'still'} {version}")
