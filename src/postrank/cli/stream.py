"""`postrank stream`: run the streamer in the foreground, as systemd does."""

import gc
import os
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from postrank.streamer.assembly import build
from postrank.streamer.config import Config
from postrank.streamer.service import Service
from postrank.streamer.telemetry import logs


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The streamer's TOML file.")
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", show_default=True
)
@click.option("--for", "seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this many seconds.")
@click.option("--stay", is_flag=True, help="After the source has ended, keep reporting until stopped.")
def stream(path: Path, log_level: str, seconds: float | None, *, stay: bool) -> None:
    """Read posts from a source and send them to AWS until the source ends or SIGTERM arrives.

    SIGTERM and the end of --for stop the streamer after everything that was read is durable. With --stay a finished
    replay stays up and finished, for supervisors that restart whatever ends.

    \b
    Minimal configuration:
      state = "/var/lib/postrank"    # cursor, spool, ledgers
      [source]
      kind = "bluesky"               # replay, tail, x, mastodon, bluesky

    docs/operations lists all keys. POSTRANK_STREAM_TABLE__KEY in the environment overrides one; `postrank doctor`
    checks the configuration. POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION select the streams.

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

    # Before anything is built: that takes a while with a large journal, and starts to empty the spool.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    service = build(Config.read(path, os.environ), os.environ)
    service.stay = stay
    running.append(service)
    if stopped.is_set():
        service.stop()
    if seconds is not None:
        timer = threading.Timer(seconds, service.stop)
        timer.daemon = True
        timer.start()
    service.run()
