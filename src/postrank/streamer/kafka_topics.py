"""`[sink.kafka]`: the cluster that the streamer writes to, and the topic of each of its streams."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from postrank.kafka.connection import TOPIC, Connection
from postrank.options import Options


@dataclass(frozen=True, slots=True)
class KafkaTopics:
    """A cluster, and a topic by stream."""

    connection: Connection
    topics: Mapping[str, str]

    @classmethod
    def of(cls, options: Options, streams: Mapping[str, str]) -> Self:
        """The connection's options, and in `topics` names other than those of `streams`. Problems are noted."""
        table = options.table("topics")
        topics = {stream: table.text(stream, name, matching=TOPIC) for stream, name in streams.items()}
        table.reject_unknown()
        return cls(Connection.of(options), topics)
