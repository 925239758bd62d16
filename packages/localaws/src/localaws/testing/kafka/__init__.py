"""A real Kafka broker (KRaft, one node) where Java 17 is at hand: its jars are fetched once, pinned and verified.

They are kept in `POSTRANK_KAFKA` (or ~/.cache/postrank/kafka).
"""

from localaws.testing.kafka.broker import Broker, running
from localaws.testing.kafka.jars import NoKafka

__all__ = ["Broker", "NoKafka", "running"]
