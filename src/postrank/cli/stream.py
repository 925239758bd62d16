"""`postrank stream`: the streamer in the foreground, as systemd runs it."""

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
@click.option("--for", "seconds", type=click.FloatRange(min=0, min_open=True), help="End after so many seconds.")
def stream(path: Path, log_level: str, seconds: float | None) -> None:
    """Read posts from a source and send them to AWS, until the source ends or SIGTERM comes; both end with status 0.

    The time that --for sets ends it as SIGTERM does: what was read is made durable first.

    \b
    The least that the file must hold:
      state = "/var/lib/postrank"    # cursor, spool, ledgers
      [source]
      kind = "bluesky"               # replay, tail, x, mastodon, bluesky

    docs/operations has every key; POSTRANK_STREAM_TABLE__KEY in the environment replaces one, and `postrank doctor`
    looks at all of it. POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT and AWS_REGION say whose streams these are.

    \b
    Exit status:
      0   the source ended, or it was stopped, and all of it is durable
      2   something must be mended first: the message says what
      75  it may work later as it is
    """
    logs.configure(log_level)
    # Events hold no cycles, and there are many: looking for cycles at the usual rate costs more than making them.
    gc.set_threshold(200_000, 50, 100)
    asked, running = threading.Event(), list[Service]()

    def end(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for one in running:
            one.stop()

    # Before anything is built: that takes a while with a large journal, and starts to empty the spool.
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    service = build(Config.read(path, os.environ), os.environ)
    running.append(service)
    if asked.is_set():
        service.stop()
    if seconds is not None:
        timer = threading.Timer(seconds, service.stop)
        timer.daemon = True
        timer.start()
    service.run()
