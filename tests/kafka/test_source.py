"""What the source makes of a topic: every message once, from where the checkpoint says, and what is missing is told."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from localaws.testing.kafka import Broker
from localaws.testing.waiting import wait_for
from postrank.kafka.reports import KafkaAway, KafkaRefused
from postrank.posts import Post
from postrank.sources import Batch, Cursor
from postrank.sources.kafka import messages as messages_module
from postrank.sources.kafka import partitions as partitions_module
from postrank.sources.kafka.positions import OtherTopic
from tests.support.streaming.brokers import STRANGER, new_topic, plain, secured, send
from tests.support.streaming.source_reader import Reading, built, reading
from tests.support.streaming.streamers import record


def post(number: int) -> bytes:
    return orjson.dumps(record(number, author=number % 5, seconds=number))


def ids(*numbers: int) -> list[str]:
    return [str(number) for number in numbers]


@contextmanager
def topic_read(
    broker: Broker, topic: str, folder: Path, after: Cursor | None = None, **options: Any
) -> Iterator[Reading]:
    with reading(built("kafka", folder, **plain(broker), topic=topic, **options), after) as read:
        yield read


def read_to_end(broker: Broker, topic: str, folder: Path, after: Cursor | None = None, **options: Any) -> list[Batch]:
    source = built("kafka", folder, **plain(broker), topic=topic, until="end", **options)
    return list(source.read(after=after))


def events(batches: list[Batch]) -> list[str]:
    return [event.post_id for batch in batches for event in batch.events]


def cursor(batches: list[Batch]) -> Cursor | None:
    return next((batch.cursor for batch in reversed(batches) if batch.cursor), None)


@pytest.fixture(scope="module")
def admin(broker: Broker) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.plain})


def test_all_partitions_are_read_and_then_it_ends(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker)
    for number in range(40):
        send(broker, topic, post(number), key=b"author %d" % (number % 5))
    batches = read_to_end(broker, topic, tmp_path)
    assert sorted(events(batches), key=int) == ids(*range(40))
    assert sum(batch.read for batch in batches) == 40
    assert sum(offset for offset, _ in orjson.loads(cursor(batches) or "")["partitions"].values()) == 40


def test_reading_goes_on_from_the_cursor_and_leaves_no_offsets_with_the_broker(
    broker: Broker, admin: AdminClient, tmp_path: Path
) -> None:
    topic = new_topic(broker)
    send(broker, topic, *map(post, range(10)))
    first = read_to_end(broker, topic, tmp_path)
    send(broker, topic, *map(post, range(10, 15)))
    second = read_to_end(broker, topic, tmp_path, after=cursor(first))
    assert sorted(events(second), key=int) == ids(*range(10, 15))
    assert not [group for group in admin.list_consumer_groups().result().valid if group.group_id == "postrank"]


def test_from_the_end_only_what_comes_is_read_also_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker)
    send(broker, topic, *map(post, range(10)))
    with topic_read(broker, topic, tmp_path, start="end") as read:
        read.until(lambda: read.cursor, "the cursor of the end")
    send(broker, topic, post(10))
    with topic_read(broker, topic, tmp_path, after=read.cursor, start="end") as again:
        again.until_ids("10")
        assert again.ids == ["10"]


def test_a_message_of_many_lines_or_of_gzip_members_is_unpacked(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker, partitions=1)
    members = gzip.compress(post(1) + b"\n" + post(2) + b"\n") + gzip.compress(post(3) + b"\n")
    send(broker, topic, members, post(4) + b"\n" + post(5) + b"\n", post(6))
    assert events(read_to_end(broker, topic, tmp_path)) == ids(1, 2, 3, 4, 5, 6)


def test_what_cannot_be_read_is_a_reject_with_its_partition_and_offset(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker, partitions=2)
    send(broker, topic, post(1), b"{cut", gzip.compress(post(2))[:-9], b"", partition=1)
    batches = read_to_end(broker, topic, tmp_path)
    rejects = [reject for batch in batches for reject in batch.rejects]
    assert [(reject.where, reject.offset) for reject in rejects] == [(f"{topic}/1", 1), (f"{topic}/1", 2)]
    assert "cannot be unpacked" in rejects[1].reason
    assert [kind for batch in batches for kind in batch.ignored] == ["empty"]
    [event] = [event for batch in batches for event in batch.events]
    assert event.source_cursor == f"{topic}/1:0"


def test_lines_of_a_log_are_read_as_such(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker, partitions=1)
    send(broker, topic, b"2026-05-01T12:00:00Z ann did a thing", b"nonsense")
    pattern = r"(?P<posted_at>\S+) (?P<author_id>\S+) (?P<text>.*)"
    batches = read_to_end(broker, topic, tmp_path, format="regex", pattern=pattern, network="things")
    [event] = [event for batch in batches for event in batch.events]
    assert isinstance(event, Post)
    assert (event.post_id, event.author_id, event.text) == (f"{topic}-0-0", "ann", "did a thing")
    assert sum(len(batch.rejects) for batch in batches) == 1


def test_messages_that_were_deleted_unread_are_a_gap(broker: Broker, admin: AdminClient, tmp_path: Path) -> None:
    topic = new_topic(broker, partitions=1)
    send(broker, topic, *map(post, range(3)))
    first = read_to_end(broker, topic, tmp_path)
    send(broker, topic, *map(post, range(3, 9)))
    [deleted] = admin.delete_records([TopicPartition(topic, 0, 7)]).values()
    assert deleted.result().low_watermark == 7
    second = read_to_end(broker, topic, tmp_path, after=cursor(first))
    assert events(second) == ids(7, 8)
    [gap] = [gap for batch in second for gap in batch.gaps]
    assert "offsets 3 to 6 were deleted before they were read" in gap.reason
    assert gap.since < gap.until


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(
    broker: Broker, admin: AdminClient, tmp_path: Path
) -> None:
    topic = new_topic(broker, partitions=1)
    send(broker, topic, *map(post, range(5)))
    first = read_to_end(broker, topic, tmp_path)
    admin.delete_topics([topic])[topic].result()
    wait_for(lambda: topic not in admin.list_topics(timeout=10).topics, what="the topic to be gone")
    new_topic(broker, partitions=1, name=topic)
    send(broker, topic, *map(post, range(100, 102)))
    second = read_to_end(broker, topic, tmp_path, after=cursor(first))
    assert events(second) == ids(100, 101)
    [gap] = [gap for batch in second for gap in batch.gaps]
    assert "it ends at offset 2, and 5 was next" in gap.reason


def test_partitions_that_are_added_are_read_too(
    broker: Broker, admin: AdminClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_module, "_LOOK_SECONDS", 0.3)
    topic = new_topic(broker, partitions=1)
    send(broker, topic, post(1))
    with topic_read(broker, topic, tmp_path) as read:
        read.until_ids("1")
        admin.create_partitions([NewPartitions(topic, 2)])[topic].result()
        wait_for(lambda: len(admin.list_topics(topic).topics[topic].partitions) == 2, what="the partition")
        send(broker, topic, post(2), partition=1)
        read.until_ids("2")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "_AUTHENTICATION"),
        ({"username": STRANGER}, "AUTHORIZATION"),
        ({"topic": "missing"}, "UNKNOWN"),
    ],
    ids=["a wrong password", "a user without rights", "a missing topic"],
)
def test_what_no_retry_can_help_ends_the_source(
    broker: Broker, tmp_path: Path, changes: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions_module, "_ANSWER_SECONDS", 3.0)
    options = {**secured(broker), "topic": "missing" if "topic" in changes else new_topic(broker), **changes}
    source = built("kafka", tmp_path, **options)
    with pytest.raises(KafkaRefused) as refused:
        next(source.read(after=None))
    assert code in refused.value.code
    assert broker.password not in str(refused.value)


def test_brokers_that_are_away_are_named_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions_module, "_ANSWER_SECONDS", 0.5)
    source = built("kafka", tmp_path, brokers=["127.0.0.1:9"], tls=False, topic="t")
    with pytest.raises(KafkaAway, match=r"127\.0\.0\.1:9"):
        next(source.read(after=None))


def test_a_checkpoint_of_another_topic_is_not_taken_for_this_one_s(broker: Broker, tmp_path: Path) -> None:
    source = built("kafka", tmp_path, **plain(broker), topic="b")
    with pytest.raises(OtherTopic, match=r"offsets of the topic a, and source\.topic is b"):
        next(source.read(after='{"topic":"a","partitions":{}}'))


def test_a_broker_that_is_gone_is_no_contact_and_then_is_again(broker: Broker, tmp_path: Path) -> None:
    topic = new_topic(broker, partitions=1)
    send(broker, topic, post(1))
    with topic_read(broker, topic, tmp_path) as read:
        read.until_ids("1")
        broker.kill()
        try:
            before = len(read.batches)
            read.until(lambda: any(not batch.heard for batch in read.batches[before:]), "the loss to be noticed")
        finally:
            broker.start()
        send(broker, topic, post(2))
        read.until_ids("2")
        assert read.batches[-1].heard or read.batches[-2].heard
    assert read.ids == ids(1, 2)
