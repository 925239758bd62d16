"""The objects of one delivery stream that are being filled or wait for delivery, and what that says of each shard."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from localaws.services.firehose.delivery.buffers import MIB, OpenObject
from localaws.services.firehose.records.processing import Pipeline, ProcessingFailed
from localaws.services.firehose.records.sources import Arrived
from localaws.services.firehose.streams.model import Destination
from localaws.services.firehose.streams.store import Checkpoint

MAX_PARTITIONS = 500  # "Partitioning streaming data": active partitions of a stream


class Objects:
    """Puts records into objects, and says which objects are due."""

    def __init__(
        self,
        spool: Path,
        destination: Destination,
        pipeline: Pipeline,
        checkpoints: Mapping[str, Checkpoint],
        speed: float,
    ) -> None:
        self._spool = spool
        self._compression = destination.compression
        self._most = destination.size_mib * MIB
        self._interval = destination.interval / speed
        self._pipeline = pipeline
        self._open: dict[tuple[tuple[str, ...], str], OpenObject] = {}
        self._sealed: list[OpenObject] = []
        self._read: dict[str, Checkpoint] = {}  # shard -> behind all that was taken from it
        self._saved = dict(checkpoints)

    @property
    def blocked(self) -> bool:
        """Whether objects wait for a delivery that was refused: nothing more is read then."""
        return bool(self._sealed)

    def take(self, shard: str, records: Sequence[Arrived]) -> None:
        """Put a shard's next records where they belong."""
        put = self._put_whole if self._pipeline.idle else self._put_pieces
        for record in records:
            put(shard, record)
        if records:
            self._read[shard] = Checkpoint("after", str(records[-1].position))

    def end(self, shard: str) -> None:
        """All of this shard is read."""
        self._read[shard] = Checkpoint("ended", "")

    def seal_all(self) -> None:
        for key in list(self._open):
            self._seal(key)

    def due(self) -> list[OpenObject]:
        """Sealed objects, oldest first; what has been open for the whole interval is sealed now."""
        deadline = time.monotonic() - self._interval
        for key in [key for key, buffer in self._open.items() if buffer.opened <= deadline]:
            self._seal(key)
        return list(self._sealed)

    def delivered(self, finished: OpenObject) -> dict[str, Checkpoint]:
        """Take a delivered object out; the checkpoints that changed by it."""
        self._sealed.remove(finished)
        changed = {
            shard: checkpoint
            for shard, checkpoint in self._checkpoints().items()
            if self._saved.get(shard) != checkpoint
        }
        self._saved.update(changed)
        return changed

    def seconds_to_flush(self) -> float:
        """Until the next object is due; infinity if none is open."""
        now = time.monotonic()
        return max(
            0.0, min((buffer.opened + self._interval - now for buffer in self._open.values()), default=float("inf"))
        )

    def oldest(self) -> int:
        """Arrival (epoch ms) of the oldest record that is not delivered; 0 if there is none."""
        return min((buffer.oldest for buffer in [*self._open.values(), *self._sealed]), default=0)

    def discard(self) -> None:
        for buffer in self._open.values():
            buffer.discard()
        for buffer in self._sealed:
            buffer.path.unlink(missing_ok=True)

    def _put_whole(self, shard: str, record: Arrived) -> None:
        self._put((), "", shard, record, record.data)

    def _put_pieces(self, shard: str, record: Arrived) -> None:
        try:
            pieces = self._pipeline.apply(record.data)
            fresh = {piece.partition for piece in pieces if (piece.partition, "") not in self._open}
            active = sum(not error_type for _, error_type in self._open) if fresh else 0
            if active + len(fresh) > MAX_PARTITIONS:
                raise ProcessingFailed(
                    "DynamicPartitioning.ActivePartitionsLimitExceeded",
                    f"the stream has {MAX_PARTITIONS} active partitions",
                )
        except ProcessingFailed as failed:
            self._put((), "processing-failed", shard, record, _error_record(record, failed))
            return
        for piece in pieces:
            self._put(piece.partition, "", shard, record, piece.data)

    def _put(self, partition: tuple[str, ...], error_type: str, shard: str, record: Arrived, data: bytes) -> None:
        key = (partition, error_type)
        buffer = self._open.get(key)
        if buffer is None:
            buffer = self._open[key] = OpenObject(self._spool, self._compression, partition, error_type)
        buffer.add(shard, record.position, record.arrived, data)
        if buffer.size >= self._most:
            self._seal(key)

    def _seal(self, key: tuple[tuple[str, ...], str]) -> None:
        buffer = self._open.pop(key)
        buffer.seal()
        self._sealed.append(buffer)

    def _checkpoints(self) -> dict[str, Checkpoint]:
        """How far each shard is delivered: up to its earliest record in any object that is not."""
        waiting: dict[str, int] = {}
        for buffer in [*self._open.values(), *self._sealed]:
            for shard, position in buffer.first.items():
                waiting[shard] = min(position, waiting.get(shard, position))
        return {
            shard: Checkpoint("at", str(waiting[shard])) if shard in waiting else read
            for shard, read in self._read.items()
        }


def _error_record(record: Arrived, failed: ProcessingFailed) -> bytes:
    """The documented JSON of a record that failed ("Handle failure in data transformation"), one a line."""
    now = int(time.time() * 1000)
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": record.arrived,
        "errorCode": failed.code,
        "errorMessage": failed.message,
        "attemptEndingTimestamp": now,
        "rawData": base64.b64encode(record.data).decode(),
    }
    return json.dumps(document).encode() + b"\n"
