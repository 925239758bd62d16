"""`postrank backfill`: read a past span again to close a gap."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import click
import orjson

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.collectors.labels import backfill_label
from postrank.documents import Document
from postrank.errors import Fatal, PostrankError
from postrank.gaps.archive_files import fetched
from postrank.gaps.backfill import Backfill
from postrank.gaps.span_sources import ArchivePast, Past, SearchPast, Span, TimelinePast
from postrank.gaps.x_posts import IdsPast, UserTimelinesPast
from postrank.settings import Settings
from postrank.sinks import POSTS
from postrank.sinks.kinesis import KinesisSink
from postrank.sinks.packing import Packer
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config
from postrank.streamer.engine.ledgers import Ledgers
from postrank.streamer.telemetry import logs

_SOURCE_OF = {"x-search": "x", "x-ids": "x", "x-timelines": "x", "mastodon": "mastodon"}
_WITH_FILES = ("archive", "x-ids", "x-timelines")
_FILE_HELP = (
    "Local path or s3://bucket/key. archive: posts. x-ids: ids, one per line. x-timelines: handles, one per line."
)
_ANY_TIME = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class WrongRequest(Fatal):
    """The request is not possible with this configuration."""


@click.command()
@click.option("--source", type=click.Choice([*_SOURCE_OF, "archive"]), required=True)
@click.option("--from", "since", help="Start of the span, RFC 3339, such as 2026-11-24T05:00:00Z. Optional for x-ids.")
@click.option("--to", "until", help="End of the span (not included), RFC 3339.")
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The streamer's TOML file.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
@click.option("--file", "files", multiple=True, help=_FILE_HELP)
@click.option("--budget", type=click.FloatRange(min=0), help="x-search: maximum cost of this read in US dollars.")
@click.option("--query", help="x-search: search for this instead of the streamer's gap_query. Closes no gap.")
@click.option("--part", is_flag=True, help="One of several reads of the span: do not write to the gap ledger.")
def backfill(
    source: str,
    since: str | None,
    until: str | None,
    path: Path,
    collector: str | None,
    files: tuple[str, ...],
    budget: float | None,
    query: str | None,
    part: bool,
) -> None:
    """Read the posts of a past span again, send them to AWS, and record the recovery in the gap ledger.

    x-ids fetches posts by id and turns missing ones into tombstones; x-timelines reads what some users posted in the
    span. Neither closes a gap.

    Token, query and budgets are the streamer's; --budget is an additional limit. Prints a JSON summary, including any
    error.

    \b
    Examples:
      postrank backfill --config x.toml --source x-search --from 2026-11-24T05:00:00Z --to 2026-11-24T06:00:00Z
      postrank backfill --config x.toml --source x-ids --file ids.txt

    \b
    Exit status (whatever was read is delivered in any case):
      0   the span was read to its end
      1   stopped before the end
      2   something must be fixed first: the message says what
      75  a retry may succeed
    """
    logs.configure("INFO")
    config = Config.load(path, os.environ, collector)
    span = _span(source, since, until)
    if span.until <= span.since:
        raise WrongRequest("--to must be later than --from")
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    clients = Clients(names.region)
    with fetched(files, clients) as here:
        job = _job(config, names, clients, _past(source, config, clients, here, budget, query), span)
        job.part = part

        def end(_number: int, _frame: FrameType | None) -> None:
            job.stopped.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        summary = _summary(job)
    if not summary["complete"]:
        raise SystemExit(1)


def _span(source: str, since: str | None, until: str | None) -> Span:
    if since and until:
        return Span(_instant(since), _instant(until))
    if source == "x-ids" and not (since or until):
        return _ANY_TIME
    raise WrongRequest(f"--source {source} needs --from and --to")


def _summary(job: Backfill) -> Document:
    """Run the job and print what it did, also when it fails."""
    try:
        summary = job.run()
    except PostrankError as error:
        click.echo(orjson.dumps({**job.summary(complete=False), "error": str(error)}).decode())
        raise
    click.echo(orjson.dumps(summary).decode())
    return summary


def _past(
    source: str, config: Config, clients: Clients, files: list[Path], budget: float | None, query: str | None
) -> Past:
    if query is not None and source != "x-search":
        raise WrongRequest("--query is for --source x-search")
    if source in _WITH_FILES and not files:
        raise WrongRequest(f"--source {source} needs at least one --file")
    if source == "archive":
        return ArchivePast(files, config.source)
    if config.source != _SOURCE_OF[source]:
        raise WrongRequest(f"--source {source} needs a configuration whose source is {_SOURCE_OF[source]}")
    built = build_source(config, os.environ, clients)
    if source == "x-ids":
        return IdsPast(built, files)
    if source == "x-timelines":
        return UserTimelinesPast(built, files)
    return SearchPast(built, budget=budget, query=query) if source == "x-search" else TimelinePast(built)


def _job(config: Config, names: Resources, clients: Clients, past: Past, span: Span) -> Backfill:
    s3 = clients.get("s3", read_seconds=10.0)
    bucket = names.buckets["raw"]
    collector = backfill_label(config.collector)
    sink = config.sink
    return Backfill(
        past=past,
        span=span,
        sink=KinesisSink(
            client=clients.get("kinesis", attempts=1), streams=names.streams, patience=sink.patience_seconds
        ),
        packer=Packer(POSTS, record_bytes=sink.record_bytes, buckets=sink.buckets, gzipped=sink.gzip),
        ledgers=Ledgers(config.state / "backfill-ledgers", names.keys["ledgers"], collector, config.rejects_per_hour),
        put=lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body),
        collector=collector,
    )


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongRequest(f"{text!r} is not an RFC 3339 time: write it as 2026-11-24T05:00:00Z") from error
    if moment.tzinfo is None:
        raise WrongRequest(f"{text!r} has no offset: write it in UTC with a Z")
    return moment.astimezone(UTC)
