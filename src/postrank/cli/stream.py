"""`postrank stream`: the streamer in the foreground, as systemd runs it."""

import gc
import os
import signal
from pathlib import Path
from types import FrameType

import click

from postrank.streamer import logs
from postrank.streamer.assembly import build
from postrank.streamer.config import Config


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="A TOML file.")
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", show_default=True
)
def stream(path: Path, log_level: str) -> None:
    """Read posts from a source and send them to AWS, until the source ends or SIGTERM comes; both end with status 0."""
    logs.configure(log_level)
    # Events hold no cycles, and there are many: looking for cycles at the usual rate costs more than making them.
    gc.set_threshold(200_000, 50, 100)
    service = build(Config.load(path, os.environ), os.environ)

    def end(_number: int, _frame: FrameType | None) -> None:
        service.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    service.run()
