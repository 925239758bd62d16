"""`postrank backfill`: read a past span again to close a gap."""

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
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
from postrank.gaps.reading_place import ReadingPlace
from postrank.gaps.request import COMPLIANCE, COMPLIANCE_OF_USERS
from postrank.gaps.span_sources import ArchivePast, BlueskyPast, Past, SearchPast, Span, TimelinePast
from postrank.gaps.x_posts import CompliancePast, IdsPast, UserTimelinesPast, hydration
from postrank.options import WrongSettings
from postrank.settings import Settings
from postrank.sinks import POSTS, Sink
from postrank.sinks.kinesis import KinesisSink
from postrank.sinks.packing import Packer
from postrank.streamer.assembly import build_source
from postrank.streamer.config import Config
from postrank.streamer.engine.ledgers import Ledgers, PutObject
from postrank.streamer.engine.originals import Originals
from postrank.streamer.out_file import OutFile
from postrank.streamer.outlets import FolderOutlet
from postrank.streamer.telemetry import logs

_COMPLIANCE = (COMPLIANCE, COMPLIANCE_OF_USERS)
_SOURCE_OF = {
    **dict.fromkeys(("x-search", "x-ids", *_COMPLIANCE, "x-timelines"), "x"),
    "mastodon": "mastodon",
    "bluesky": "bluesky",
}
_WITH_FILES = ("archive", "x-ids", *_COMPLIANCE, "x-timelines")
_FILE_HELP = (
    "Local path or s3://bucket/key. archive: posts. x-ids, x-compliance: ids, one per line. x-compliance-users: ids of "
    "users. x-timelines: handles, one per line."
)
_ANY_TIME = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class WrongRequest(Fatal):
    """The request is not possible with this configuration."""


@click.command()
@click.option("--source", type=click.Choice([*_SOURCE_OF, "archive"]), required=True)
@click.option(
    "--from", "since", help="Start of the span, RFC 3339, such as 2026-11-24T05:00:00Z. Not for x-ids and x-compliance."
)
@click.option("--to", "until", help="End of the span (not included), RFC 3339.")
@click.option("--config", "path", type=click.Path(path_type=Path), help="The streamer's TOML file.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
@click.option("--file", "files", multiple=True, help=_FILE_HELP)
@click.option("--budget", type=click.FloatRange(min=0), help="x-search: maximum cost of this read in US dollars.")
@click.option("--query", help="x-search: search for this instead of the streamer's gap_query. Closes no gap.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of to AWS (see below).")
@click.option("--again", is_flag=True, help="x-ids: also ask for ids that were asked for before today.")
@click.option("--part", is_flag=True, help="One of several reads of the span: do not write to the gap ledger.")
def backfill(
    source: str,
    since: str | None,
    until: str | None,
    path: Path | None,
    collector: str | None,
    files: tuple[str, ...],
    budget: float | None,
    query: str | None,
    out: Path | None,
    again: bool,
    part: bool,
) -> None:
    """Read the posts of a past span again, send them to AWS, and record the recovery in the gap ledger.

    x-ids fetches posts by id and turns missing ones into tombstones; x-compliance has X check ids in a batch
    compliance job, which costs nothing, and gives the tombstones of those that must go, x-compliance-users the same of
    users and all their posts; x-timelines reads what some users posted in the span. None of these closes a gap. bluesky
    reads what `gap_source` of the source names.

    Token, query and budgets are the streamer's; --budget is an additional limit. Prints a JSON summary, including any
    error. A command that was stopped or killed continues when it is given again, and pays for no id a second time.

    With --out nothing of AWS is needed: the posts become one file, whose name says its form (.ndjson, .ndjson.gz, .csv
    or .parquet); a read that has not ended stays in FILE.collecting. --source archive then needs no --config.

    \b
    Examples:
      postrank backfill --config x.toml --source x-search --from 2026-11-24T05:00:00Z --to 2026-11-24T06:00:00Z
      postrank backfill --config x.toml --source x-ids --file ids.txt
      postrank backfill --config x.toml --source x-ids --file ids.txt --out posts.parquet

    \b
    Exit status (whatever was read is delivered in any case):
      0   the span was read to its end
      1   stopped before the end
      2   something must be fixed first: the message says what
      75  a retry may succeed
    """
    logs.configure("INFO")
    span = _span(source, since, until)
    if span.until <= span.since:
        raise WrongRequest("--to must be later than --from")
    if again and source != "x-ids":
        raise WrongRequest("--again is for --source x-ids")
    request = (source, since, until, *files, query)
    target = _to_file(OutFile(out), path, collector, request) if out else _to_aws(path, collector)
    with ExitStack() as opened:
        here = opened.enter_context(fetched(files, target.clients))
        past = _past(source, target, here, budget, query, opened)
        if isinstance(past, IdsPast):
            past.again = again
        job = _job(target, past, span)
        job.progress = past if isinstance(past, IdsPast) else ReadingPlace(target.places, request)
        job.part |= part

        def end(_number: int, _frame: FrameType | None) -> None:
            job.stopped.set()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        summary = _summary(job, target)
    if not summary["complete"]:
        raise SystemExit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where the posts go."""

    config: Config
    clients: Clients
    open_sink: Callable[[], Sink]
    gzipped: bool
    put: PutObject
    ledgers_prefix: str
    out_file: OutFile | None = None
    request: Sequence[str | None] = ()

    def claim(self) -> None:
        """Raises OtherRequest where a file's folder holds what another command collected."""
        if self.out_file is not None:
            self.out_file.claim(self.request)

    @property
    def places(self) -> Path:
        return self.config.state / "backfill-places.json"


def _to_aws(path: Path | None, collector: str | None) -> _Target:
    """The stream and the bucket of the environment's account."""
    if path is None:
        raise WrongRequest("--config is missing: the TOML file of the streamer; or --out FILE for one file without AWS")
    config = Config.load(path, os.environ, collector)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    clients = Clients(names.region)
    s3 = clients.get("s3", read_seconds=10.0)
    bucket = names.buckets["raw"]
    return _Target(
        config=config,
        clients=clients,
        open_sink=lambda: KinesisSink(
            client=clients.get("kinesis", attempts=1), streams=names.streams, patience=config.sink.patience_seconds
        ),
        gzipped=config.sink.gzip,
        put=lambda key, body: s3.put_object(Bucket=bucket, Key=key, Body=body),
        ledgers_prefix=names.keys["ledgers"],
    )


def _to_file(out_file: OutFile, path: Path | None, collector: str | None, request: Sequence[str | None]) -> _Target:
    """One file of this machine."""
    source = request[0]
    if path is None and source != "archive":
        raise WrongRequest(f"--source {source} needs --config: the TOML file with its token and its budgets")
    table: Document = {} if path else {"source": {"kind": "replay"}}
    config = Config.local(path, table, os.environ, out_file.state, collector)
    if config.problems:
        raise WrongSettings(config.problems)
    outlet = FolderOutlet(config, out_file.folder)
    return _Target(
        config=config,
        clients=Clients(os.environ.get("AWS_REGION") or "us-east-1"),  # of files in S3, and of Secrets Manager
        open_sink=outlet.sink,
        gzipped=True,
        put=outlet.put,
        ledgers_prefix=outlet.ledgers_prefix,
        out_file=out_file,
        request=request,
    )


def _span(source: str, since: str | None, until: str | None) -> Span:
    if since and until:
        return Span(_instant(since), _instant(until))
    if source in ("x-ids", *_COMPLIANCE) and not (since or until):
        return _ANY_TIME
    raise WrongRequest(f"--source {source} needs --from and --to")


def _summary(job: Backfill, target: _Target) -> Document:
    """Run the job and print what it did, also when it fails."""
    try:
        summary = job.run()
    except PostrankError as error:
        failed = {**job.summary(complete=False), "error": str(error)}
        click.echo(orjson.dumps({**failed, **_written(target, job.sink, complete=False)}).decode())
        raise
    click.echo(orjson.dumps({**summary, **_written(target, job.sink, complete=summary["complete"])}).decode())
    return summary


def _written(target: _Target, sink: Sink, *, complete: bool) -> Document:
    """Write the file of a target that is one; what the summary says of it."""
    if target.out_file is None:
        return {}
    sink.close()
    target.out_file.write()
    if complete:
        target.out_file.forget()
    return {"file": str(target.out_file.path)}


def _past(
    source: str, target: _Target, files: list[Path], budget: float | None, query: str | None, opened: ExitStack
) -> Past:
    config = target.config
    if query is not None and source != "x-search":
        raise WrongRequest("--query is for --source x-search")
    if source in _WITH_FILES and not files:
        raise WrongRequest(f"--source {source} needs at least one --file")
    if source == "archive":
        target.claim()
        return ArchivePast(files, config.source, keeps=config.raw.keep)
    if config.source != _SOURCE_OF[source]:
        raise WrongRequest(f"--source {source} needs a configuration whose source is {_SOURCE_OF[source]}")
    built = build_source(config, os.environ, target.clients)
    target.claim()
    if source == "x-ids":
        return IdsPast(built, files, opened.enter_context(hydration(config.state / config.source)))
    if source in _COMPLIANCE:
        return CompliancePast(built, files, of_users=source == COMPLIANCE_OF_USERS)
    if source == "x-timelines":
        return UserTimelinesPast(built, files)
    if source == "x-search":
        return SearchPast(built, budget=budget, query=query)
    return BlueskyPast(built) if source == "bluesky" else TimelinePast(built)


def _job(target: _Target, past: Past, span: Span) -> Backfill:
    config = target.config
    collector = backfill_label(config.collector)
    return Backfill(
        past=past,
        span=span,
        sink=target.open_sink(),
        packer=Packer(
            POSTS, record_bytes=config.sink.record_bytes, buckets=config.sink.buckets, gzipped=target.gzipped
        ),
        ledgers=Ledgers(config.state / "backfill-ledgers", target.ledgers_prefix, collector, config.rejects_per_hour),
        put=target.put,
        originals=_originals(config, collector),
        collector=collector,
        part=target.out_file is not None,  # a file closes no gap of the lake
    )


def _originals(config: Config, collector: str) -> Originals | None:
    if not config.raw.keep:
        return None
    return Originals(config.state / "backfill-originals", collector, config.raw.max_bytes)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongRequest(f"{text!r} is not an RFC 3339 time: write it as 2026-11-24T05:00:00Z") from error
    if moment.tzinfo is None:
        raise WrongRequest(f"{text!r} has no offset: write it in UTC with a Z")
    return moment.astimezone(UTC)
