"""One Kafka broker for all tests of a process, and what they do with it besides the code under test."""

import atexit
import itertools
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest

from localaws.testing import kafka
from localaws.testing.kafka.broker import STRANGER, WRITER, Broker
from localaws.testing.waiting import wait_for

_numbers = itertools.count(1)
_ANSWER_SECONDS = 60.0


@cache
def shared_broker() -> Broker:
    """The broker of this process, started when it is first needed; skips the test where there can be none."""
    stack = ExitStack()
    try:
        broker = stack.enter_context(kafka.running())
    except kafka.NoKafka as missing:
        pytest.skip(f"no Kafka: {missing}")
    atexit.register(stack.close)
    return broker


def new_topic(broker: Broker, *, partitions: int = 4, name: str = "", **config: str) -> str:
    """A topic of a test's own; `config` has underscores for dots."""
    from confluent_kafka.admin import AdminClient, NewTopic

    name = name or f"topic-{next(_numbers)}"
    settings = {key.replace("_", "."): value for key, value in config.items()}
    client = AdminClient({"bootstrap.servers": broker.plain})
    client.create_topics([NewTopic(name, partitions, 1, config=settings)])[name].result(_ANSWER_SECONDS)
    wait_for(lambda: len(client.list_topics(name, timeout=5).topics[name].partitions) == partitions, what=name)
    return name


def send(broker: Broker, topic: str, *values: bytes, key: bytes | None = None, partition: int = -1) -> None:
    """Messages, written and acknowledged in their order."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": broker.plain, "acks": "all", "message.max.bytes": 32 << 20})
    for value in values:
        producer.produce(topic, value, key, partition)
    assert not producer.flush(_ANSWER_SECONDS)


def messages(broker: Broker, topic: str) -> list[Any]:
    """All messages of a topic that are there now, by partition and offset."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

    settings = {"bootstrap.servers": broker.plain, "group.id": "tests", "enable.partition.eof": True}
    consumer = Consumer({**settings, "enable.auto.commit": False, "fetch.wait.max.ms": 10})
    try:
        unread = set(consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in unread])
        received = []
        while unread:
            message = consumer.poll(_ANSWER_SECONDS)
            assert message is not None, f"no answer for partitions {unread} of {topic}"
            if message.error() is None:
                received.append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                unread.discard(message.partition())
    finally:
        consumer.close()
    return sorted(received, key=lambda message: (message.partition(), message.offset()))


def secured(broker: Broker, sasl: str = "scram-sha-512", user: str = WRITER) -> dict[str, Any]:
    """Options of a connection over TLS, as one of the broker's users."""
    options = {"brokers": [broker.sasl], "sasl": sasl, "ca_file": str(broker.authority.certificate)}
    return options | (
        {"region": "us-east-1"} if sasl == "aws-msk-iam" else {"username": user, "password": broker.password}
    )


def plain(broker: Broker) -> dict[str, Any]:
    """Options of a connection that is not encrypted."""
    return {"brokers": [broker.plain], "tls": False}


__all__ = ["STRANGER", "WRITER", "messages", "new_topic", "plain", "secured", "send", "shared_broker"]
