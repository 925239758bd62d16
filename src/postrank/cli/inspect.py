"""`postrank inspect`: what a file is, and what a ranking of it would hold."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from postrank.posts.formats.mapping import FIELDS
from postrank.sources.files.inspection import TOP, Report, inspect

_SHOWN = 100


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="FIELD=COLUMN",
    help=f"Which column or key holds a field of a post, one of {', '.join(FIELDS)}. May be repeated.",
)
@click.option("--top", type=click.IntRange(min=1), default=TOP, show_default=True, help="How many authors to list.")
def inspect_file(file: Path, as_json: bool, pairs: tuple[str, ...], top: int) -> None:
    """Say what FILE is, and what a ranking of it would hold.

    Reads the whole file on this machine: container, encoding, form, posts, authors, time span, rejects with examples,
    and the top authors with edits and deletions applied. Nothing is sent anywhere.

    \b
    Status: 0 if anything can be ranked, 2 with the reason if nothing can.

    \b
    Examples:
      postrank inspect posts.jsonl.gz
      postrank inspect table.csv --map author_id=user.id --map posted_at=created
      postrank inspect archive.tar.gz --json
    """
    report = inspect(file, dict(_pair(text) for text in pairs), top)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    elif report.posts:
        _show(report)
    if report.why:
        click.echo(f"postrank: {report.why}", err=True)
        sys.exit(2)


def _pair(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if equals and column and field in FIELDS:
        return field, column
    raise click.BadParameter(f"{text!r} is not FIELD=COLUMN with a FIELD of {', '.join(FIELDS)}", param_hint="--map")


def _show(report: Report) -> None:
    console = Console(highlight=False)
    facts = Table.grid(padding=(0, 2))
    facts.add_row("form", report.form)
    facts.add_row("container", report.container)
    facts.add_row("encoding", report.encoding)
    facts.add_row("posts", f"{report.posts:,}")
    facts.add_row("authors", f"{report.authors:,}")
    facts.add_row("time span", f"{report.first} to {report.last}")
    facts.add_row("repaired", f"{report.repaired:,}")
    for name, count in sorted(report.unknown_fields.items(), key=lambda item: (-item[1], item[0])):
        facts.add_row("unknown field", f"{count:,} {name}")
    facts.add_row("rejects", f"{'at least ' if report.at_least else ''}{report.rejects:,}")
    for reason, count in report.reasons.most_common():
        facts.add_row("", f"{count:,} {reason}")
    for reject in report.examples:
        line = reject.line[:_SHOWN].decode(errors="replace")
        facts.add_row("", f"{reject.where}, byte {reject.offset}: {line}")
    for kind, count in report.ignored.most_common():
        facts.add_row("ignored", f"{count:,} {kind}")
    console.print(facts, markup=False)
    ranking = Table("rank", "network", "author", "posts")
    for rank, (network, author_id, posts) in enumerate(report.top, 1):
        ranking.add_row(str(rank), network, author_id, f"{posts:,}")
    console.print(ranking, markup=False)
