"""The objects of one delivery stream that are being filled or wait for delivery, and what that says of each shard."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from localaws.services.firehose.delivery.buffers import MIB, OpenObject
from localaws.services.firehose.keys import prefix
from localaws.services.firehose.records.framing import FRAMED
from localaws.services.firehose.records.processing import Piece, Pipeline, ProcessingFailed
from localaws.services.firehose.records.sources import Arrived
from localaws.services.firehose.records.transformation import Transformation
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
        transformation: Transformation | None = None,
    ) -> None:
        self._spool = spool
        self._compression = FRAMED if destination.conversion or destination.iceberg else destination.compression
        self._transformation = transformation
        self._function_keys = prefix.values(destination.prefix or "", "partitionKeyFromLambda")
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
        if self._transformation is not None:
            self._put_transformed(shard, records, self._transformation)
        else:
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

    def _put_transformed(self, shard: str, records: Sequence[Arrived], transformation: Transformation) -> None:
        parts: list[Arrived] = []
        for record in records:
            try:
                parts.extend(record._replace(data=part) for part in self._pipeline.parts(record.data))
            except ProcessingFailed as failed:
                self._put_failed(shard, record, failed)
        for result in transformation.apply(shard, parts):
            if result.failure is not None:
                self._put_failed(shard, result.record, result.failure, transformation.arn)
            elif result.data is not None:
                finish = partial(self._finished, result.data, result.keys)
                self._put_partitioned(shard, result.record, finish)

    def _finished(self, data: bytes, keys: Mapping[str, str]) -> list[Piece]:
        return [self._pipeline.finished(data, keys, self._function_keys)]

    def _put_pieces(self, shard: str, record: Arrived) -> None:
        self._put_partitioned(shard, record, lambda: self._pipeline.apply(record.data))

    def _put_partitioned(self, shard: str, record: Arrived, apply: Callable[[], list[Piece]]) -> None:
        """Put the pieces of a record into their partitions; a record that fails goes to the errors."""
        try:
            pieces = apply()
            fresh = {piece.partition for piece in pieces if (piece.partition, "") not in self._open}
            active = sum(not error_type for _, error_type in self._open) if fresh else 0
            if active + len(fresh) > MAX_PARTITIONS:
                raise ProcessingFailed(
                    "DynamicPartitioning.ActivePartitionsLimitExceeded",
                    f"the stream has {MAX_PARTITIONS} active partitions",
                )
        except ProcessingFailed as failed:
            self._put_failed(shard, record, failed)
            return
        for piece in pieces:
            self._put(piece.partition, "", shard, record, piece.data)

    def _put_failed(self, shard: str, record: Arrived, failed: ProcessingFailed, function: str = "") -> None:
        self._put((), "processing-failed", shard, record, _error_record(record, failed, function))

    def _put(self, partition: tuple[str, ...], error_type: str, shard: str, record: Arrived, data: bytes) -> None:
        key = (partition, error_type)
        buffer = self._open.get(key)
        if buffer is None:
            compression = "UNCOMPRESSED" if error_type and self._compression == FRAMED else self._compression
            buffer = self._open[key] = OpenObject(self._spool, compression, partition, error_type)
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


def _error_record(record: Arrived, failed: ProcessingFailed, function: str) -> bytes:
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
    if function:
        document["lambdaArn"] = function
    return json.dumps(document).encode() + b"\n"
