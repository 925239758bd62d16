"""Reading all partitions of a topic at once: messages become lines, and what retention deleted unread becomes a gap.

A message is a line. One of several lines, or of gzip members of lines (as records of Kinesis are), is unpacked.
Partitions that are added while the topic is read are read from their beginning.
"""

import gzip
import io
import logging
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from postrank.errors import Retryable
from postrank.posts.formats.access_log import LogFormat
from postrank.sources import Batch, Gap
from postrank.sources.files.line_batches import LINE_LIMIT, LineBatch
from postrank.sources.kafka.partitions import Partitions
from postrank.sources.kafka.positions import Positions

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

_log = logging.getLogger(__name__)
_MESSAGES = 2_000  # in a batch, at most
_WAIT_SECONDS = 0.2
_LOOK_SECONDS = 30.0  # between looks at which partitions there are
_PROBE_SECONDS = 1.0  # between looks whether a cluster that was away is back
_GZIP = b"\x1f\x8b"
_DAMAGED = (EOFError, OSError, zlib.error)


@dataclass(slots=True)
class Reading:
    """A topic from some positions on."""

    partitions: Partitions
    positions: Positions
    log: LogFormat | None
    figures: dict[str, float]
    keeps: bool = False  # whether the messages of posts are wanted as they are
    _lines: LineBatch = field(init=False)
    _gaps: list[Gap] = field(default_factory=list)
    _ends: dict[int, int] = field(default_factory=dict)  # where each partition ended in the beginning
    _look_due: float = 0.0
    _moved: bool = False  # whether the positions say something that no batch said

    def __post_init__(self) -> None:
        self._lines = LineBatch(where="", log=self.log, keeps=self.keeps)
        self.figures.update(kafka_messages=self.figures.get("kafka_messages", 0.0))

    @property
    def ended(self) -> bool:
        """Whether all was read that the topic had in the beginning."""
        return all(self.positions.offsets.get(number, 0) >= end for number, end in self._ends.items())

    def begin(self, *, from_end: bool) -> Iterator[Batch]:
        """Begin where the positions are: new partitions at their first message, or with `from_end` at their end."""
        spans = self.partitions.spans()
        self._ends = {number: high for number, (_, high) in spans.items()}
        for number, (low, high) in spans.items():
            self._begin_partition(number, low, high, from_end=from_end)
        self.partitions.read_from(self.positions.offsets)
        self._look_due = time.monotonic() + _LOOK_SECONDS
        self.figures["kafka_partitions"] = float(len(spans))
        yield self._batch(heard=True)

    def batches(self) -> Iterator[Batch]:
        """What came within a moment, as a batch or as a sign of life."""
        messages = self.partitions.messages(_MESSAGES, _WAIT_SECONDS)
        for message in messages:
            error = message.error()
            if error is None:
                self._take(message)
            else:
                self._note(message, error)
        if messages:
            self.partitions.reports.clear()
        heard = bool(messages) or self._is_there()
        self.figures["kafka_lag_messages"] = float(self._lag())
        yield self._batch(heard=heard)

    def _begin_partition(self, number: int, low: int, high: int, *, from_end: bool) -> None:
        position = self.positions.offsets.get(number)
        if position is None:
            self.positions.offsets[number] = high if from_end else low
            self._moved = True
        elif position < low:
            self._skip(number, low, f"offsets {position} to {low - 1} were deleted before they were read")
        elif position > high:
            self._skip(number, low, f"it ends at offset {high}, and {position} was next: it was made anew or cut off")

    def _skip(self, number: int, offset: int, why: str) -> None:
        """Go on elsewhere, with a gap from the last message that was read until now."""
        now = datetime.now(UTC)
        reason = f"partition {number} of topic {self.positions.topic}: {why}"
        self._gaps.append(Gap(since=self.positions.read_until(number, now), until=now, reason=reason))
        _log.warning("messages missing", extra={"fields": {"why": reason}})
        self.positions.offsets[number] = offset
        self._moved = True

    def _take(self, message: "Message") -> None:
        number = message.partition() or 0
        offset = message.offset() or 0
        value = message.value()
        lines = self._lines
        lines.where = f"{self.positions.topic}/{number}"
        lines.identity = f"{self.positions.topic}-{number}"
        self.positions.advance(number, offset, message.timestamp()[1])
        self._moved = True
        self.figures["kafka_messages"] += 1
        if not value:
            lines.ignore("empty")
            return
        try:
            data = _unpacked(value)
        except _DAMAGED as error:
            lines.reject(f"gzip data that cannot be unpacked: {error}", value, offset, at_least=True)
            return
        for line in data.removesuffix(b"\n").split(b"\n"):
            lines.add_all((line,), offset)

    def _note(self, message: "Message", error: "KafkaError") -> None:
        """Take an error in: the end of a partition, an offset that it does not have, or a refusal, which is raised."""
        number = message.partition()
        if error.name() == "_PARTITION_EOF" and number is not None:
            self.positions.offsets[number] = max(self.positions.offsets.get(number, 0), message.offset() or 0)
        elif error.name() == "_AUTO_OFFSET_RESET" and number is not None:
            self._begin_partition(number, *self.partitions.span(number), from_end=False)
            self.partitions.read_from(self.positions.offsets)
        elif not isinstance(problem := self.partitions.problem(error), Retryable):
            raise problem
        else:
            self.partitions.reports.note(error)

    def _is_there(self) -> bool:
        """Whether the cluster is there, which silence does not say; new partitions are looked for now and then.

        Raises KafkaRefused.
        """
        away = self.partitions.reports.away
        if not away and time.monotonic() < self._look_due:
            return True
        try:
            numbers = self.partitions.numbers(_PROBE_SECONDS)
        except Retryable:
            return False
        self._look_due = time.monotonic() + _LOOK_SECONDS
        added = set(numbers) - self.positions.offsets.keys()
        for number in added:
            self._begin_partition(number, *self.partitions.span(number), from_end=False)
        if added:
            self.partitions.read_from(self.positions.offsets)
            self.figures["kafka_partitions"] = float(len(numbers))
        return True

    def _lag(self) -> int:
        return sum(max(self.partitions.end(number) - at, 0) for number, at in self.positions.offsets.items())

    def _batch(self, *, heard: bool) -> Batch:
        cursor = self.positions.to_cursor() if self._moved else None
        self._moved = False
        batch = self._lines.take(cursor, heard=heard)
        batch.gaps = self._gaps
        self._gaps = []
        return batch


def _unpacked(value: bytes) -> bytes:
    """The lines of a message. Raises what `_DAMAGED` names, also for more than LINE_LIMIT bytes."""
    if not value.startswith(_GZIP):
        return value
    with gzip.GzipFile(fileobj=io.BytesIO(value)) as file:
        data = file.read(LINE_LIMIT + 1)
    if len(data) > LINE_LIMIT:
        raise OSError(f"it holds more than {LINE_LIMIT} bytes")
    return data
