"""The consumer: from the second stream into `live_windows`, until it is stopped.

It keeps no position of its own: at its start it reads the last minutes of the stream again, and storing a window twice
changes nothing.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from postrank.aws.shards import ShardReader
from postrank.errors import Fatal
from postrank.warehouse.connection import WarehouseAway
from postrank.warehouse.live.store import WindowRow, rows_of, store

if TYPE_CHECKING:
    import psycopg
    from mypy_boto3_kinesis import KinesisClient
    from psycopg.rows import TupleRow

log = logging.getLogger(__name__)
READ_AGAIN = timedelta(minutes=15)
_PAUSE_SECONDS = 1.0  # a shard takes five calls a second, of all its consumers
_PAUSE_LIMIT_SECONDS = 30.0


class NoSuchStream(Fatal):
    """There is no stream of author windows."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"there is no stream {stream}: POSTRANK_ENVIRONMENT and POSTRANK_ACCOUNT name it")


@dataclass(slots=True)
class Consumer:
    """`connect` opens a connection to the warehouse in autocommit mode."""

    kinesis: "KinesisClient"
    stream: str
    connect: "Callable[[], psycopg.Connection[TupleRow]]"
    stored: int = 0
    broken: int = 0  # lines that are no windows
    _pending: list[WindowRow] = field(default_factory=list)

    def run(self, stopped: threading.Event) -> None:
        """Consume until `stopped`; outages of the stream and of the warehouse are waited for. Raises NoSuchStream."""
        pause = _PAUSE_SECONDS
        while not stopped.is_set():
            try:
                with self.connect() as connection:
                    reader = ShardReader(self.kinesis, self.stream, datetime.now(UTC) - READ_AGAIN)
                    while not stopped.is_set():
                        count = self.turn(reader, connection)
                        pause = _PAUSE_SECONDS
                        if not count:
                            stopped.wait(_PAUSE_SECONDS)
            except self.kinesis.exceptions.ResourceNotFoundException as error:
                raise NoSuchStream(self.stream) from error
            except (WarehouseAway, ClientError, BotoCoreError) as error:
                log.warning("retrying in %.0f s: %s", pause, error)
                stopped.wait(pause)
                pause = min(2 * pause, _PAUSE_LIMIT_SECONDS)

    def turn(self, reader: ShardReader, connection: "psycopg.Connection[TupleRow]") -> int:
        """Read each shard once and store what came; returns how many windows were stored."""
        for record in reader.read():
            rows, broken = rows_of(record.data)
            self._pending += rows
            self.broken += broken
        count = len(self._pending)
        if count:
            store(connection, self._pending)
            self._pending.clear()
            self.stored += count
            log.info("stored %d windows, %.1f s behind the stream", count, reader.behind_ms / 1000)
        return count
