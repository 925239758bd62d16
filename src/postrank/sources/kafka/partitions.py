"""A client of a topic's partitions: which there are, what they hold, and their messages."""

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from postrank.documents import JsonObject
from postrank.kafka.reports import KafkaAway, KafkaRefused, Reports

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, Message, TopicPartition
    from confluent_kafka.admin._metadata import TopicMetadata

_ANSWER_SECONDS = 10.0
_TRY_SECONDS = 1.0
_CALLBACK_SECONDS = 0.05


class Partitions:
    """The partitions of one topic, connected while in use as a context manager.

    Every method raises KafkaAway when the cluster does not answer within 10 s, and KafkaRefused.
    """

    def __init__(self, topic: str, properties: JsonObject, reports: Reports) -> None:
        self.topic = topic
        self.reports = reports
        self._properties = properties
        self._consumer: Consumer | None = None
        self._waiting: list[Message] = []

    def __enter__(self) -> Self:
        from confluent_kafka import Consumer

        self._consumer = Consumer(dict(self._properties))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.close()

    def numbers(self, seconds: float | None = None) -> list[int]:
        """The partitions' numbers; waits so many seconds for an answer."""
        metadata = self._described(_ANSWER_SECONDS if seconds is None else seconds)
        if metadata.error is not None:
            raise self.problem(metadata.error)
        self.reports.clear()
        return sorted(metadata.partitions)

    def _described(self, seconds: float) -> "TopicMetadata":
        """The topic as the cluster describes it; a refusal ends the wait for an answer."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + seconds
        while True:
            self._serve_callbacks()
            try:
                description: TopicMetadata = self._client.list_topics(
                    self.topic, timeout=min(seconds, _TRY_SECONDS)
                ).topics[self.topic]
                return description
            except KafkaException as error:
                self._serve_callbacks()
                problem = self.problem(error.args[0])
                if isinstance(problem, KafkaRefused) or time.monotonic() > deadline:
                    raise problem from error

    def _serve_callbacks(self) -> None:
        """Have the client call what waits: reports of errors, the signing of a token. A message that comes is kept."""
        message = self._client.poll(_CALLBACK_SECONDS)
        if message is not None:
            self._waiting.append(message)

    def span(self, number: int) -> tuple[int, int]:
        """The first offset that a partition still has, and the one after its last."""
        from confluent_kafka import KafkaException

        try:
            span = self._client.get_watermark_offsets(self._partition(number), timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            raise self.problem(error.args[0]) from error
        if span is None:
            raise KafkaAway(
                f"reading topic {self.topic}", self.reports.last or f"no answer within {_ANSWER_SECONDS:g} s"
            )
        return span[0], span[1]

    def spans(self) -> dict[int, tuple[int, int]]:
        """`span` of every partition."""
        return {number: self.span(number) for number in self.numbers()}

    def end(self, number: int) -> int:
        """The offset after the last of a partition, as the last answer said; -1 before there was one."""
        span = self._client.get_watermark_offsets(self._partition(number), cached=True)
        return span[1] if span else -1

    def read_from(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets, and no others."""
        self._client.assign([self._partition(number, offset) for number, offset in offsets.items()])

    def messages(self, count: int, seconds: float) -> "Sequence[Message]":
        """The next messages, and errors in the form of messages; at most `count`, after `seconds` at the latest."""
        waiting, self._waiting = self._waiting, []
        return waiting or self._client.consume(count, timeout=seconds)

    def problem(self, error: "KafkaError") -> KafkaRefused | KafkaAway:
        """An error of the client with its cause, which mostly is the last one that the client reported."""
        return self.reports.problem(f"reading topic {self.topic}", error)

    @property
    def _client(self) -> "Consumer":
        if self._consumer is None:
            raise RuntimeError("partitions are used as a context manager")
        return self._consumer

    def _partition(self, number: int, offset: int = 0) -> "TopicPartition":
        from confluent_kafka import TopicPartition

        return TopicPartition(self.topic, number, offset)
