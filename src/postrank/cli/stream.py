"""`postrank stream`: run the streamer in the foreground, as systemd does, or into one file of this machine."""

import gc
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

import click

from postrank.documents import Document
from postrank.errors import Fatal
from postrank.sources.registry import SOURCES
from postrank.streamer.assembly import build_local
from postrank.streamer.config import Config
from postrank.streamer.hosting import run_hosted
from postrank.streamer.out_file import OutFile
from postrank.streamer.service import Service
from postrank.streamer.telemetry import logs


class WrongOptions(Fatal):
    """Options of the command that do not go together."""


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="The streamer's TOML file.")
@click.option("--collector", help="The collector, if the file has several. Default: main.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of to AWS (see below).")
@click.option(
    "--source", type=click.Choice(list(SOURCES)), help="With --out: the source, for one that needs no configuration."
)
@click.option("--file", "files", multiple=True, help="With --source replay or tail: a file to read; may be repeated.")
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", show_default=True
)
@click.option("--for", "seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this many seconds.")
@click.option("--stay", is_flag=True, help="After the source has ended, keep reporting until stopped.")
def stream(
    path: Path | None,
    collector: str | None,
    out: Path | None,
    source: str | None,
    files: tuple[str, ...],
    log_level: str,
    seconds: float | None,
    *,
    stay: bool,
) -> None:
    """Read posts from a source and send them to AWS until the source ends or SIGTERM arrives.

    SIGTERM and the end of --for stop the streamer after everything that was read is durable. With --stay a finished
    replay stays up and finished, for supervisors that restart whatever ends.

    \b
    Minimal configuration:
      state = "/var/lib/postrank"    # cursor, spool, ledgers
      [source]
      kind = "bluesky"               # replay, tail, kafka, x, mastodon, bluesky

    docs/operations lists all keys. POSTRANK_STREAM_TABLE__KEY in the environment overrides one; `postrank doctor`
    checks the configuration. POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION select the streams.

    With --out nothing of AWS is needed: the posts become one file, whole when the command ends. Its name says its
    form: .ndjson, .ndjson.gz, .csv or .parquet. A stopped command goes on when the same file is named again; rejected
    lines are in FILE.rejects.ndjson.

    \b
    Examples:
      postrank stream --config streamer.toml
      postrank stream --config collectors.toml --collector x-brands
      postrank stream --source bluesky --for 60 --out posts.parquet
      postrank stream --source replay --file archive.zip --out posts.csv

    \b
    Exit status:
      0   the source ended or was stopped, and everything is durable
      2   something must be fixed first: the message says what
      75  a retry may succeed
    """
    logs.configure(log_level)
    # Events hold no cycles, and there are many: looking for cycles at the usual rate costs more than making them.
    gc.set_threshold(200_000, 50, 100)
    stopped = threading.Event()
    running = list[Service]()

    def end(_number: int, _frame: FrameType | None) -> None:
        stopped.set()
        for service in running:
            service.stop()

    due = time.monotonic() + (seconds or 0.0)

    def prepare(service: Service) -> Service:
        service.stay = stay
        running[:] = [service]
        if stopped.is_set():
            service.stop()
        if seconds is not None:
            timer = threading.Timer(max(due - time.monotonic(), 0.0), service.stop)
            timer.daemon = True
            timer.start()
        return service

    # Before anything is built: that takes a while with a large journal, and starts to empty the spool.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if out is not None:
        out_file = OutFile(out)
        prepare(build_local(_local(path, collector, source, files, out_file), os.environ, out_file.folder)).run()
        _complete(out_file, running[-1])
    elif source or files:
        raise WrongOptions("--source and --file are for --out; a streamer that writes to AWS takes them from --config")
    elif path is None:
        raise WrongOptions("--config is missing: the TOML file of the streamer; or --out FILE for one file without AWS")
    else:
        run_hosted(Config.read(path, os.environ, collector), os.environ, prepare)


def _local(
    path: Path | None, collector: str | None, source: str | None, files: tuple[str, ...], out_file: OutFile
) -> Config:
    """The configuration of a streamer that writes to a file."""
    if (path is None) == (source is None):
        raise WrongOptions("--out takes its posts from --config FILE or from --source KIND: name one of the two")
    if collector and path is None:
        raise WrongOptions("--collector picks one of the collectors of --config FILE")
    if files and source is None:
        raise WrongOptions("--file is for --source; with --config, name the files there")
    table: Document = {}
    if source is not None:
        table["source"] = {"kind": source, **({"files": list(files)} if files else {})}
    return Config.local(path, table, os.environ, out_file.state, collector)


def _complete(out_file: OutFile, service: Service) -> None:
    """Write the file and say what it holds."""
    out_file.write()
    counts = service.reporter.counts()
    parts = [f"{counts['delivered']:,} lines ({counts['posts']:,} posts) in {out_file.path}"]
    if counts["rejected"]:
        parts.append(f"{counts['rejected']:,} rejected, the reasons in {out_file.rejects}")
    if service.reporter.finished:
        out_file.forget()
    else:
        parts.append("stopped before the source's end: the same command goes on from there")
    click.echo("; ".join(parts))
