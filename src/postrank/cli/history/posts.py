"""`postrank posts`: read posts out of the lake."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from postrank.aws.athena import Athena
from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.documents import Document
from postrank.errors import Fatal
from postrank.extras import require
from postrank.lake.posts_reader import PostsRequest, read_posts
from postrank.lake.posts_writer import write_csv, write_ids, write_parquet
from postrank.lake.redistribution import IDS_ONLY, passed_on
from postrank.settings import Settings
from postrank.streamer.out_file import replaced

FORMS = ("csv", "parquet", "ids")


class WrongRequest(Fatal):
    """Options that do not go together, or a time that is none."""


@click.command()
@click.option("--from", "since", required=True, help="Start: a day (2026-11-24) or a time (2026-11-24T05:00:00Z).")
@click.option("--to", "until", required=True, help="End, not included: a day or a time.")
@click.option("--author", help="Only this author: an id, or a handle with or without @.")
@click.option("--network", help="Only this network, such as bluesky, x, mastodon (all instances) or mastodon:HOST.")
@click.option("--format", "form", type=click.Choice(FORMS), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file. Default: standard output.")
@click.option(
    "--with-content",
    "with_content",
    type=click.Choice(list(IDS_ONLY)),
    multiple=True,
    help="Include the contents of this network's posts, for your own use only (see below).",
)
def posts(
    *,
    since: str,
    until: str,
    author: str | None,
    network: str | None,
    form: str,
    out: Path | None,
    with_content: tuple[str, ...],
) -> None:
    """Read posts out of the lake, ordered by the time at which they were posted.

    Posts are read as of the newest ranking: the newest version of each, without deleted posts. They are read a page at
    a time, so any number fits into memory; Athena bills a query for each day.

    X's terms allow no more than ids to be passed on. CSV and Parquet therefore have nothing but the network and the ids
    of post and author of a post of X, unless --with-content x says that the file stays with you. Those who get the ids
    fetch the posts with `postrank backfill --source x-ids`.

    CSV is made for spreadsheets, as in `postrank results`. POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION select
    the lake.

    \b
    Examples:
      postrank posts --from 2026-11-01 --to 2026-12-01 --network bluesky --format parquet --out november.parquet
      postrank posts --from 2026-11-24T05:00:00Z --to 2026-11-24T06:00:00Z --author @ann
      postrank posts --from 2026-11-01 --to 2026-12-01 --network x --format ids > ids.txt
    """
    request = PostsRequest(
        since=_instant("--from", since), until=_instant("--to", until), author=author, network=network
    )
    if form == "parquet":
        require("pyarrow")
        if out is None:
            raise WrongRequest("--format parquet needs --out: it is no text")
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    athena = Athena(
        Clients(names.region).get("athena"), names.database, names.workgroup, origin="postrank posts of a person"
    )
    counts: Counter[str] = Counter()
    read = _counted(read_posts(athena, request), counts)
    if out is None:
        _write_text(read if form == "ids" else _passed_on(read, with_content), form)
    else:
        with replaced(out) as part:
            _write_file(read if form == "ids" else _passed_on(read, with_content), form, part)
    _summarize(counts, form, with_content)


def _counted(rows: Iterable[Document], counts: Counter[str]) -> Iterator[Document]:
    for row in rows:
        counts[str(row["network"])] += 1
        yield row


def _passed_on(rows: Iterable[Document], with_content: Sequence[str]) -> Iterator[Document]:
    return (passed_on(row, with_content) for row in rows)


def _write_text(rows: Iterable[Document], form: str) -> None:
    {"csv": write_csv, "ids": write_ids}[form](rows, sys.stdout)


def _write_file(rows: Iterable[Document], form: str, path: Path) -> None:
    if form == "parquet":
        write_parquet(rows, path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        {"csv": write_csv, "ids": write_ids}[form](rows, file)


def _summarize(counts: Counter[str], form: str, with_content: Sequence[str]) -> None:
    """What was read, and what was left out, on standard error: standard output is for the posts."""
    click.echo(f"{counts.total():,} posts", err=True)
    for network, terms in IDS_ONLY.items():
        if counts[network] and form != "ids" and network not in with_content:
            click.echo(
                f"{counts[network]:,} of {network} with ids only ({terms}): --with-content {network} includes their "
                "contents, for your own use",
                err=True,
            )


def _instant(option: str, value: str) -> datetime:
    """A day's beginning, or a time with an offset."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise WrongRequest(f"{option} {value!r} is no day or time: write 2026-11-24 or 2026-11-24T05:00:00Z") from error
    if moment.tzinfo is None and "T" in value:
        raise WrongRequest(f"{option} {value!r} has no offset: write it in UTC with a Z")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
