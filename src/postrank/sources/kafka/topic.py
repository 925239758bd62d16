"""One topic as a source: its options, what a client of it needs, and what its errors mean.

The checkpoint alone says where reading goes on: no offsets are committed and no group is joined, so that several
streamers may read one topic, each all of it. librdkafka wants a group's name all the same.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from postrank.documents import Document
from postrank.extras import require
from postrank.kafka.connection import TOPIC, Connection
from postrank.kafka.reports import Reports
from postrank.options import Options
from postrank.posts.formats.access_log import LogFormat
from postrank.sources import Batch, Cursor, Surroundings
from postrank.sources.kafka.messages import Reading
from postrank.sources.kafka.partitions import Partitions
from postrank.sources.kafka.positions import Positions
from postrank.sources.log_options import log_format

_DAY_MS = 86_400_000
_PREFETCHED_KBYTES = 16 << 10  # of each partition, which back-pressure leaves unread


@dataclass(slots=True)
class KafkaTopic:
    """One topic of one cluster."""

    connection: Connection
    topic: str
    group: str = "postrank"
    log: LogFormat | None = None
    keeps: bool = False  # whether the messages of posts are wanted as they are
    from_end: bool = False  # where there is no cursor yet: only what is written from now on
    ends: bool = False  # whether reading ends where the topic ended when it began
    name: str = "kafka"
    _stopped: threading.Event = field(default_factory=threading.Event)
    _figures: dict[str, float] = field(default_factory=dict)

    @classmethod
    def build(cls, options: Options, surroundings: Surroundings) -> Self:
        """The options of Connection, `topic` (required), `start` = "beginning" or "end", `until` = "stopped" or
        "end", `group` (postrank), and those of logs. Raises MissingExtra.
        """
        require("confluent_kafka")
        return cls(
            connection=Connection.of(options),
            topic=options.text("topic", matching=TOPIC),
            group=options.text("group", "postrank"),
            log=log_format(options),
            keeps=surroundings.keeps_originals,
            from_end=options.text("start", "beginning", among=("beginning", "end")) == "end",
            ends=options.text("until", "stopped", among=("stopped", "end")) == "end",
        )

    def read(self, *, after: Cursor | None) -> Iterator[Batch]:
        """Messages as they come, until `stop` or the end.

        Raises KafkaAway, NoToken, KafkaRefused, OtherTopic, Unusable.
        """
        positions = Positions.of(self.topic, after)
        with self._connected() as partitions:
            reading = Reading(partitions, positions, log=self.log, figures=self._figures, keeps=self.keeps)
            yield from reading.begin(from_end=self.from_end and after is None)
            while not self._stopped.is_set():
                yield from reading.batches()
                if self.ends and reading.ended:
                    return

    def stop(self) -> None:
        self._stopped.set()

    def gauges(self) -> Mapping[str, float]:
        return dict(self._figures)

    def ask(self) -> str:
        """What the cluster says of the topic. Raises KafkaAway, NoToken, KafkaRefused, Unusable."""
        with self._connected() as partitions:
            spans = partitions.spans()
        messages = sum(high - low for low, high in spans.values())
        return f"topic {self.topic} has {len(spans)} partitions with {messages:,} messages"

    def urls(self) -> list[str]:
        """None: Kafka's protocol takes no proxy."""
        return []

    def _connected(self) -> Partitions:
        reports = Reports()
        self.connection.check_token(reports)
        properties: Document = self.connection.properties(reports) | {
            "group.id": self.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "max.poll.interval.ms": _DAY_MS,
            "queued.max.messages.kbytes": _PREFETCHED_KBYTES,
        }
        return Partitions(self.topic, properties, reports)
