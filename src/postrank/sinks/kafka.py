"""Lines onto Kafka topics: one message a line, keyed by author, acknowledged by all replicas in sync.

The producer is idempotent: what it resends after a lost acknowledgement is not written twice. What `put` gives back
as left may be written twice, once by an attempt whose acknowledgement was lost and once from the spool: delivery is at
least once, as on Kinesis. Partitions are chosen as Kafka's own producers do (murmur2 of the key), so that an author's
lines share a partition whoever writes them.
"""

import gzip
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from postrank.documents import Document
from postrank.errors import Retryable
from postrank.kafka.connection import Connection
from postrank.kafka.reports import KafkaRefused, Reports, refusal
from postrank.sinks import Record, Unavailable

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

_GZIP = b"\x1f\x8b"
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 5.0  # for a topic that was reported as missing
_LAST_SECONDS = 1.0  # that a hurried sink waits for acknowledgements


@dataclass(slots=True)
class _Delivery:
    """The messages of one `put`, until each is acknowledged or given up."""

    outstanding: int = 0
    failed: "dict[int, KafkaError]" = field(default_factory=dict)  # by the record's number
    settled: threading.Condition = field(default_factory=threading.Condition)

    def note(self, number: int, error: "KafkaError | None", _: "Message") -> None:
        """Take in what became of a message of record `number`. librdkafka calls it while the producer is polled."""
        with self.settled:
            self.outstanding -= 1
            if error is not None:
                self.failed[number] = error
            if not self.outstanding:
                self.settled.notify_all()


class KafkaSink:
    """Topics of one cluster; `topics` names the topic for each of POSTS and WINDOWS, `patience` is in seconds."""

    def __init__(self, connection: Connection, topics: Mapping[str, str], patience: float) -> None:
        """Raises MissingExtra, Unusable. Connects with the first records."""
        self._connection = connection
        self._topics = topics
        self._patience = patience
        self._reports = Reports()
        self._properties = connection.properties(self._reports) | _producer_properties(patience)
        self._figures = dict.fromkeys(("acknowledged_messages", "refused_entries", "producers"), 0.0)
        self._lock = threading.Lock()
        self._hurried = threading.Event()
        self._closed = threading.Event()
        self._producer: Producer | None = None
        self._poller = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._poller.start()

    def put(self, records: Sequence[Record]) -> None:
        """Produce the lines of every record. Raises Unavailable after `patience` seconds, and KafkaRefused."""
        delivery = _Delivery()
        producer = self._connected(records)
        messages = [
            (self._topics[record.stream], record.key.encode(), line, number)
            for number, record in enumerate(records)
            for line in _lines(record)
        ]
        delivery.outstanding = len(messages)
        deadline = time.monotonic() + self._patience
        for position, (topic, key, line, number) in enumerate(messages):
            error = self._produce(producer, topic, key, line, partial(delivery.note, number), deadline)
            if error is not None:
                _give_up(delivery, messages[position:], error)
                break
        self._await(producer, delivery)
        self._count("acknowledged_messages", len(messages) - len(delivery.failed))
        if delivery.failed:
            self._raise(producer, delivery, records)
        self._reports.clear()

    def gauges(self) -> Mapping[str, float]:
        with self._lock:
            queued = 0 if self._producer is None else len(self._producer)
            return {**self._figures, "queued_messages": float(queued)}

    def hurry(self) -> None:
        self._hurried.set()

    def close(self) -> None:
        """Let go of the connections; what was not acknowledged by now is given up, and its `put` says so."""
        self._closed.set()
        self._poller.join()
        if self._producer is not None:
            self._producer.purge()
            self._producer.poll(0)

    def _connected(self, records: Sequence[Record]) -> "Producer":
        """The producer, made anew where there is none. Raises Unavailable when no token can be had for it."""
        from confluent_kafka import Producer

        with self._lock:
            if self._producer is None:
                try:
                    self._connection.check_token(self._reports)
                except Retryable as problem:
                    raise Unavailable(str(problem), records) from problem
                self._producer = Producer(self._properties)
                self._figures["producers"] += 1
            return self._producer

    def _poll(self) -> None:
        """Serve callbacks: acknowledgements, errors, tokens."""
        while not self._closed.is_set():
            producer = self._producer
            if producer is None:
                self._closed.wait(_POLL_SECONDS)
            else:
                self._serve(producer, _POLL_SECONDS)

    def _serve(self, producer: "Producer", seconds: float) -> None:
        """Have a producer call back. It raises a fatal error of its own here, once; its messages fail by then."""
        from confluent_kafka import KafkaException

        try:
            producer.poll(seconds)
        except KafkaException as error:
            self._reports.note(error.args[0])

    def _produce(
        self,
        producer: "Producer",
        topic: str,
        key: bytes,
        line: bytes,
        note: "Callable[[KafkaError | None, Message], None]",
        deadline: float,
    ) -> "KafkaError | None":
        """Hand one message over; the error of one that was not: its queue is full, or the producer takes none."""
        from confluent_kafka import KafkaError, KafkaException

        while True:
            try:
                producer.produce(topic, line, key, on_delivery=note)
                return None
            except BufferError:
                if time.monotonic() > deadline or self._hurried.wait(_POLL_SECONDS / 10):
                    return KafkaError(KafkaError._QUEUE_FULL)  # noqa: SLF001 the client's name of it
            except KafkaException as error:
                failure: KafkaError = error.args[0]
                return failure

    def _await(self, producer: "Producer", delivery: _Delivery) -> None:
        """Wait for what becomes of each message: the producer decides it within `message.timeout.ms`."""
        hurried_at = 0.0
        while True:
            with delivery.settled:
                if delivery.settled.wait_for(lambda: not delivery.outstanding, _POLL_SECONDS):
                    return
            self._serve(producer, 0)  # the poller may serve another producer by now
            if not self._hurried.is_set():
                continue
            hurried_at = hurried_at or time.monotonic()
            if time.monotonic() > hurried_at + _LAST_SECONDS:
                producer.purge(blocking=False)

    def _raise(self, producer: "Producer", delivery: _Delivery, records: Sequence[Record]) -> None:
        """Raise what the failures of a `put` mean."""
        self._count("refused_entries", len(delivery.failed))
        number, error = next(iter(delivery.failed.items()))
        topic = self._topics[records[number].stream]
        for failure in delivery.failed.values():
            if (refused := self._refusal(producer, topic, failure)) is not None:
                raise refused
        if (refused := self._reports.refusal(_messages_for(topic))) is not None:
            raise refused
        if any(failure.fatal() or failure.name() == "_FATAL" for failure in delivery.failed.values()):
            self._let_go(producer)
        cause = self._reports.last
        why = f"topic {topic}: {error.str()}" + (f" ({cause})" if cause else "")
        raise Unavailable(why, [record for number, record in enumerate(records) if number in delivery.failed])

    def _refusal(self, producer: "Producer", topic: str, error: "KafkaError") -> KafkaRefused | None:
        """A failure as a refusal; a topic that is only not known yet to a broker that just started is none."""
        refused = refusal(_messages_for(topic), error)
        if refused is None or "TOPIC_OR_PART" not in refused.code:
            return refused
        return None if self._exists(producer, topic) else refused

    @staticmethod
    def _exists(producer: "Producer", topic: str) -> bool:
        from confluent_kafka import KafkaException

        try:
            return producer.list_topics(topic, timeout=_LOOK_SECONDS).topics[topic].error is None
        except KafkaException:  # the cluster is away: it is not known
            return True

    def _let_go(self, broken: "Producer") -> None:
        """Let go of a producer whose sequence of messages was broken, which takes no more."""
        with self._lock:
            if self._producer is broken:
                self._producer = None

    def _count(self, figure: str, number: int) -> None:
        with self._lock:
            self._figures[figure] += number


def _producer_properties(patience: float) -> Document:
    milliseconds = max(round(patience * 1000), 100)
    return {
        "enable.idempotence": True,  # with it: acks=all, at most five requests under way, in order
        "acks": "all",
        "compression.type": "zstd",
        "partitioner": "murmur2_random",
        "linger.ms": min(5, milliseconds // 2),
        "batch.size": 1_000_000,
        "message.max.bytes": 1_048_588,  # a broker's own bound; a line has a million bytes at most
        "message.timeout.ms": milliseconds,
        "topic.metadata.propagation.max.ms": min(5_000, milliseconds // 2),
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 256 << 10,
    }


def _give_up(delivery: _Delivery, messages: Sequence[tuple[str, bytes, bytes, int]], error: "KafkaError") -> None:
    """Count messages that were never handed over as failed."""
    with delivery.settled:
        delivery.outstanding -= len(messages)
        delivery.failed.update((number, error) for _, _, _, number in messages)


def _messages_for(topic: str) -> str:
    return f"messages for topic {topic}"


def _lines(record: Record) -> list[bytes]:
    """The lines of a record without their newlines; several, and gzipped, where it was spooled for another sink."""
    if record.lines == 1 and not record.data.startswith(_GZIP):
        return [record.data.removesuffix(b"\n")]
    data = gzip.decompress(record.data) if record.data.startswith(_GZIP) else record.data
    return data.splitlines()
