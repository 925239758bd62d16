"""`postrank restore`: bring back deleted objects of a deployed environment from their versions."""

import os
from datetime import UTC, datetime

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.cli.deployment.account import aws_errors
from postrank.environments.object_history import ObjectHistory
from postrank.settings import Settings

_VERSIONED = ("results", "artifacts")  # as Terraform makes them


def _moment(_ctx: click.Context, _param: click.Parameter, value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no time such as 2026-12-01T09:30:00Z") from error
    if moment.tzinfo is None:
        raise click.BadParameter(f"{value!r} has no time zone: write {value}Z for UTC")
    return moment.astimezone(UTC)


@click.command()
@click.option("--environment", metavar="NAME", required=True, help="The deployed environment, such as prod.")
@click.option("--bucket", type=click.Choice(_VERSIONED), default="results", show_default=True, help="Which bucket.")
@click.option("--prefix", required=True, help="The beginning of the objects' keys, such as rankings/.")
@click.option("--before", callback=_moment, required=True, metavar="TIME", help="Such as 2026-12-01T09:30:00Z.")
@click.option("--overwritten", is_flag=True, help="Also bring back earlier contents of objects that were overwritten.")
@click.option("--apply", "applies", is_flag=True, help="Do it, instead of showing what would be done.")
def restore(environment: str, bucket: str, prefix: str, before: datetime, *, overwritten: bool, applies: bool) -> None:
    """Bring back objects that were there at TIME and were deleted since.

    Without --apply, only lists them. Objects that came after TIME stay. A deleted object comes back by removing its
    delete markers, an overwritten one by a copy of its version. After an interruption repeat the command.

    The buckets `results` and `artifacts` keep versions for 90 days. Raw posts and the lake keep none, so that deleted
    posts do not live on; both follow from raw posts and the ledgers. POSTRANK_ACCOUNT and AWS_REGION name the account;
    the credentials need s3:ListBucketVersions, s3:GetObjectVersion, s3:PutObject and s3:DeleteObjectVersion.

    \b
    Examples:
      postrank restore --environment prod --prefix rankings/ --before 2026-12-01T09:30:00Z
      postrank restore --environment prod --prefix rankings/ --before 2026-12-01T09:30:00Z --apply
      postrank restore --environment prod --bucket artifacts --prefix config/ --before 2026-12-01T09:30Z --overwritten
    """
    settings = Settings.of({**os.environ, "POSTRANK_ENVIRONMENT": environment})
    names = Resources.of(settings.environment, settings.account, settings.region)
    history = ObjectHistory(Clients(names.region).get("s3"), names.buckets[bucket], prefix)
    where = f"s3://{history.bucket}/{prefix}"
    with aws_errors("not all objects came back: repeat the command"):
        if not applies:
            count = 0
            for restoration in history.plan(before, overwritten=overwritten):
                version = restoration.version
                click.echo(f"{version.modified:%Y-%m-%dT%H:%M:%SZ}  {version.size:>12,} bytes  {version.key}")
                count += 1
            click.echo(f"{count:,} objects below {where} would come back; --apply brings them")
            return
        restored = 0
        for restored in history.restore(history.plan(before, overwritten=overwritten)):
            click.echo(f"{restored:,} objects restored ...")
    click.echo(f"{restored:,} objects below {where} came back")
