"""`postrank live`: from the stream of author windows into the warehouse."""

import os
import signal
import threading
from functools import partial
from types import FrameType

import click

from postrank.aws.clients import Clients
from postrank.aws.resources import Resources
from postrank.extras import require
from postrank.settings import Settings
from postrank.streamer.telemetry import logs


@click.command()
@click.option("--for", "seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this many seconds.")
@click.option(
    "--log-level", type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]), default="INFO", show_default=True
)
def live(*, seconds: float | None, log_level: str) -> None:
    """Keep the newest author windows of the stream in the warehouse's table live_windows, until stopped.

    Windows arrive there seconds after the posts; through Firehose and S3 they take minutes. The table holds the last
    15 minutes of sliding windows and 3 hours of whole minutes. At its start, the command reads the last 15 minutes of
    the stream again, which changes nothing that is stored already. It waits for outages of the stream and the
    warehouse.

    \b
    Environment:
      POSTRANK_ENVIRONMENT, POSTRANK_ACCOUNT, AWS_REGION      the stream
      POSTRANK_WAREHOUSE_HOST, _PORT, _DATABASE, _ROOT_CERTIFICATE
      POSTRANK_WAREHOUSE_SECRET=ARN                           a login that RDS manages
      POSTRANK_WAREHOUSE_USER, with _IAM=1 or PGPASSWORD      any other login

    \b
    Examples:
      postrank live
      postrank live --for 60 --log-level WARNING
    """
    require("psycopg")
    from postrank.warehouse.connection import connect
    from postrank.warehouse.live.consumer import Consumer
    from postrank.warehouse.login import credentials_of, server_of

    logs.configure(log_level)
    settings = Settings.of(os.environ)
    names = Resources.of(settings.environment, settings.account, settings.region)
    clients = Clients(names.region)
    server = server_of(os.environ)
    credentials = credentials_of(os.environ, server, clients.get)
    stopped = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if seconds is not None:
        timer = threading.Timer(seconds, stopped.set)
        timer.daemon = True
        timer.start()
    consumer = Consumer(
        kinesis=clients.get("kinesis"),
        stream=names.streams["author_windows"],
        connect=partial(connect, server, credentials),
    )
    consumer.run(stopped)
    parts = [f"{consumer.stored:,} windows stored"]
    if consumer.broken:
        parts.append(f"{consumer.broken:,} lines of the stream were no windows")
    click.echo("; ".join(parts))
