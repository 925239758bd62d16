"""What the sink does with what a broker takes, refuses and leaves unanswered: nothing is lost."""

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from localaws.testing.kafka import Broker
from localaws.testing.kafka.broker import ACCESS_KEY
from localaws.testing.patience import patient
from localaws.testing.waiting import wait_for
from postrank.kafka.connection import Connection
from postrank.kafka.reports import KafkaRefused
from postrank.options import Options
from postrank.sinks import POSTS, WINDOWS, Record, Unavailable
from postrank.sinks.kafka import KafkaSink
from tests.support.streaming.brokers import STRANGER, messages, new_topic, plain, secured


def connection(**options: Any) -> Connection:
    table = Options(options, "sink.kafka")
    made = Connection.of(table)
    table.finish()
    return made


@contextmanager
def sink(topics: dict[str, str], patience: float = 30.0, **options: Any) -> Iterator[KafkaSink]:
    made = KafkaSink(connection(**options), topics, patience)
    try:
        yield made
    finally:
        made.close()


def posts(number: int, authors: int = 7) -> list[Record]:
    return [Record(POSTS, f"author {n % authors}", b'{"post":%d}\n' % n, 1) for n in range(number)]


def test_each_line_is_a_message_keyed_by_its_author(broker: Broker) -> None:
    topics = {POSTS: new_topic(broker), WINDOWS: new_topic(broker)}
    with sink(topics, **plain(broker)) as kafka:
        kafka.put([*posts(500), Record(WINDOWS, "author 1", b'{"window":1}\n', 1)])
        figures = kafka.gauges()
    sent = messages(broker, topics[POSTS])
    assert sorted((m.key(), m.value()) for m in sent) == sorted(
        (record.key.encode(), record.data.strip()) for record in posts(500)
    )
    assert [(m.key(), m.value()) for m in messages(broker, topics[WINDOWS])] == [(b"author 1", b'{"window":1}')]
    assert (figures["acknowledged_messages"], figures["refused_entries"]) == (501, 0)


def test_an_author_s_lines_share_a_partition_in_their_order(broker: Broker) -> None:
    topic = new_topic(broker)
    with sink({POSTS: topic}, **plain(broker)) as kafka:
        kafka.put(posts(200))
    by_author: dict[bytes, list[tuple[int, int]]] = {}
    for message in messages(broker, topic):
        by_author.setdefault(message.key(), []).append((message.partition(), int(message.value()[8:-1])))
    assert len(by_author) == 7
    for places in by_author.values():
        assert len({partition for partition, _ in places}) == 1
        assert [number for _, number in places] == sorted(number for _, number in places)
    assert len({places[0][0] for places in by_author.values()}) > 1


def test_records_that_were_packed_for_another_sink_are_unpacked(broker: Broker) -> None:
    topic = new_topic(broker)
    member = gzip.compress(b'{"a":1}\n{"a":2}\n')
    with sink({POSTS: topic}, **plain(broker)) as kafka:
        kafka.put([Record(POSTS, "0001", member, 2), Record(POSTS, "0001", b'{"a":3}\n{"a":4}\n', 2)])
    assert [m.value() for m in messages(broker, topic)] == [b'{"a":%d}' % n for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("sasl", ["plain", "scram-sha-256", "scram-sha-512", "aws-msk-iam"])
def test_every_way_of_logging_in_over_tls_is_taken(broker: Broker, sasl: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    topic = new_topic(broker)
    with sink({POSTS: topic}, **secured(broker, sasl)) as kafka:
        kafka.put(posts(3))
    assert len(messages(broker, topic)) == 3


def test_a_client_certificate_is_a_login(broker: Broker) -> None:
    topic = new_topic(broker)
    files = {
        "ca_file": str(broker.authority.certificate),
        "certificate_file": str(broker.authority.client_certificate),
        "key_file": str(broker.authority.client_key),
    }
    with sink({POSTS: topic}, brokers=[broker.tls], **files) as kafka:
        kafka.put(posts(3))
    assert len(messages(broker, topic)) == 3


REFUSALS = {
    "a wrong password": ({"password": "wrong"}, "topic", "_AUTHENTICATION"),
    "a user without rights": ({"username": STRANGER}, "topic", "AUTHORIZATION_FAILED"),
    "a certificate of another authority": ({"ca_file": None}, "topic", "_SSL"),
    "a topic that is not there": ({}, "missing", "UNKNOWN_TOPIC"),
}


@pytest.mark.parametrize("reason", list(REFUSALS))
def test_what_no_retry_can_help_is_refused_with_advice(broker: Broker, reason: str) -> None:
    changes, topic, code = REFUSALS[reason]
    topic = new_topic(broker) if topic == "topic" else "missing"
    options = {name: value for name, value in (secured(broker) | changes).items() if value is not None}
    with sink({POSTS: topic}, patience=2.0, **options) as kafka, pytest.raises(KafkaRefused, match=topic) as refused:
        kafka.put(posts(2))
    assert code in refused.value.code
    assert refused.value.advice
    assert broker.password not in str(refused.value)


def test_without_credentials_no_token_is_signed_and_the_records_are_left(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    topic = new_topic(broker)
    with (
        sink({POSTS: topic}, patience=1.0, **secured(broker, "aws-msk-iam")) as kafka,
        pytest.raises(Unavailable, match="no IAM token could be signed") as away,
    ):
        kafka.put(posts(2))
    assert away.value.left == posts(2)


def test_a_broker_that_is_away_leaves_the_records_in_order(broker: Broker) -> None:
    with sink({POSTS: "t", WINDOWS: "w"}, patience=0.5, brokers=["127.0.0.1:9"], tls=False) as kafka:
        window = Record(WINDOWS, "a", b"window\n", 1)
        with pytest.raises(Unavailable, match=r"3 records were not taken: topic w.*127\.0\.0\.1:9") as away:
            kafka.put([window, *posts(2)])
        assert kafka.gauges()["refused_entries"] == 3
    assert away.value.left == [window, *posts(2)]


def test_a_sink_that_is_hurried_gives_up_within_seconds(broker: Broker) -> None:
    with sink({POSTS: "t"}, patience=600.0, brokers=["127.0.0.1:9"], tls=False) as kafka:
        left: list[Record] = []

        def put() -> None:
            try:
                kafka.put(posts(2))
            except Unavailable as away:
                left.extend(away.left)

        thread = threading.Thread(target=put)
        thread.start()
        wait_for(lambda: kafka.gauges()["queued_messages"] == 2, what="the messages to be queued")
        started = time.monotonic()
        kafka.hurry()
        thread.join(patient(30))
    assert left == posts(2)
    assert time.monotonic() - started < patient(30)


def test_several_threads_put_at_once(broker: Broker) -> None:
    topic = new_topic(broker)
    with sink({POSTS: topic}, **plain(broker)) as kafka:
        threads = [threading.Thread(target=kafka.put, args=(posts(300),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(patient(60))
        assert kafka.gauges()["acknowledged_messages"] == 1200
    assert len(messages(broker, topic)) == 1200
